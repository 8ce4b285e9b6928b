"""The report of a pipeline: what is read from its work folder, how it is drawn, and the page."""

from .write import REPORT, write_report

__all__ = ['REPORT', 'write_report']
