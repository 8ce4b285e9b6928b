"""Pipelines: what is to be done with each stage (plan), doing it (WSSSRunner), and what came out (report)."""

from .data_sets import datasets_of_pipeline
from .plan import Planner
from .report import write_report
from .wsss_runner import StageError, WSSSRunner

__all__ = ['Planner', 'StageError', 'WSSSRunner', 'datasets_of_pipeline', 'write_report']
