"""Every cure that today's OpenMMLab stack needs, in one place. Each does nothing where nothing is broken.

The versions below are those that were run; see ``requirements/constraints.txt`` for the exact set of the tests.
"""
import importlib
import importlib.machinery
import importlib.util
import sys
import types
import warnings

# package: (distribution names, first version that was run, first version that was not, what to install)
VERSIONS = {
    'torch': (('torch', ), '2.11', '2.16', "'torch>=2.11,<2.16'"),
    'mmengine': (('mmengine', 'mmengine-lite'), '0.10.7', '0.11', "'mmengine==0.10.7'"),
    'mmcv': (('mmcv-lite', 'mmcv'), '2.1.0', '2.2.0', "'mmcv-lite==2.1.0' (or 'mmcv==2.1.0')"),
    'mmseg': (('mmsegmentation', ), '1.2.2', '1.3', "'mmsegmentation==1.2.2'"),
    'mmpretrain': (('mmpretrain', ), '1.2.0', '1.3', "'mmpretrain==1.2.0'"),
    'numpy': (('numpy', ), '1.26', '2.6', "'numpy<2.6'"),
    'setuptools': (('setuptools', ), '60', '81', "'setuptools<81'"),
}


def apply_compat() -> None:
    """Apply every cure. Called once by ``import mmamr``, before mmseg or mmpretrain are imported."""
