"""Tables over several seeds: what has to be run (``runs``), running it (``experiments``), and the table (``table``)."""

from .experiments import Experiments, parent_of
from .job import Job
from .runs import ClassifierRun, EnsembleRun, PipelineRun, Run, build_run
from .table import Table

__all__ = [
    'ClassifierRun',
    'EnsembleRun',
    'Experiments',
    'Job',
    'PipelineRun',
    'Run',
    'Table',
    'build_run',
    'parent_of',
]
