"""Activation Modulation and Recalibration for weakly supervised semantic segmentation, on OpenMMLab."""

from .compat import apply_compat, check_versions
from .version import __version__

check_versions()
apply_compat()

__all__ = ['__version__']
