"""Tables over several seeds: what has to be run (``runs``), running it (``experiments``), and the table (``table``)."""

from .experiments import Experiments
from .runs import ClassifierRun, EnsembleRun, PipelineRun, Run, build_run
from .table import Table

__all__ = ['ClassifierRun', 'EnsembleRun', 'Experiments', 'PipelineRun', 'Run', 'Table', 'build_run']
