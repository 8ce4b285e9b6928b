"""Whether pictures can be shown in a window."""

import matplotlib.pyplot as plt

from mmamr.utils import InputError

WITHOUT_WINDOWS = ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template')
"""Backends of matplotlib that draw into files only."""


def require_screen() -> None:
    """Check that matplotlib can open a window.

    Raises:
        InputError: If it cannot, for want of a screen or of a toolkit.
    """
    cure = 'use --show-dir DIR instead, or run on a desktop with a GUI toolkit for matplotlib (pip install PyQt6)'
    try:
        plt.close(plt.figure())  # the backend is loaded with the first figure
    except ImportError as error:
        raise InputError(f'--show cannot open a window ({error}): {cure}') from None
    if plt.get_backend().lower() in WITHOUT_WINDOWS:
        raise InputError(
            f'--show cannot open a window: matplotlib found no screen and has only its backend '
            f'{plt.get_backend()}; {cure}'
        )
