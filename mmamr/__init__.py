"""Activation Modulation and Recalibration for weakly supervised semantic segmentation, on OpenMMLab."""

from .compat import apply_compat, check_versions, let_waiting_threads_sleep
from .version import __version__

let_waiting_threads_sleep()  # before torch is imported
check_versions()
apply_compat()

__all__ = ['__version__']
