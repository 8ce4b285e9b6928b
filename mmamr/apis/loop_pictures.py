"""Pictures of what a test loop has made, in files or on the screen."""

import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.runner import Runner

from mmamr.utils import InputError
from mmamr.visualization import Row, draw_sheet

from .pictures import affinity_rows, cam_rows, choose_items, label_rows, save_rows

WITHOUT_WINDOWS = ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template')
"""Backends of matplotlib that draw into files only."""


def require_screen() -> None:
    """Check that matplotlib can open a window.

    Raises:
        InputError: If it cannot, for want of a screen or of a toolkit.
    """
    import matplotlib.pyplot as plt

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


def loop_rows(loop: Any, items: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows that show what a loop made of some images.

    Args:
        loop (ImageFilesLoop): The loop, after its run.
        items (Sequence[dict]): Items of its data set.

    Returns:
        list[Row]: To be stacked by :func:`mmamr.visualization.draw_sheet`.
    """
    from mmamr.engine.loops import CAMLabelLoop, CAMLoop, PseudoLabelLoop  # they import mmseg

    if isinstance(loop, CAMLoop):
        return cam_rows(loop.dataset, loop.out_dir, items)
    if isinstance(loop, PseudoLabelLoop):
        return affinity_rows(
            loop.model,
            loop.dataset,
            loop.cam_dir,
            items,
            loop.xi,
            loop.cam_power,
            loop.threshold,
            loop.powers,
            loop.power,
            loop.unsure,
        )
    if isinstance(loop, CAMLabelLoop):
        return label_rows(loop.dataset, loop.out_dir, items, loop.cam_dir, loop.xi)
    return label_rows(loop.dataset, loop.out_dir, items)


def draw_loop(
    runner: Runner, show_dir: str | None = None, show: bool = False, wait_time: float = 2, interval: int | None = None
) -> list[str]:
    """Draw what the test loop of a runner made, in files, on the screen or both.

    Args:
        runner (Runner): The runner, after ``runner.test()``.
        show_dir (str, optional): Folder of the pictures: one of all rows, or with ``interval`` one an image. Defaults
            to None.
        show (bool): Whether each row is shown in a window. Defaults to False.
        wait_time (float): For so many seconds, or until the space bar is pressed; 0 is for ever. Defaults to 2.
        interval (int, optional): Draw every so many-th image of the data set. Defaults to None: eight random ones.

    Returns:
        list[str]: The files.
    """
    loop, files = runner.test_loop, []
    for rows in _rows_in_turn(loop, interval):
        if show_dir is not None:
            files += save_rows(rows, show_dir if interval else osp.join(show_dir, f'{loop.name}.png'))
        for row in rows if show else ():
            runner.visualizer.show(draw_sheet([row]), win_name=row.title, wait_time=wait_time)
    return files


def _rows_in_turn(loop: Any, interval: int | None) -> Iterator[list[Row]]:
    """All rows at once, or one after the other where there may be thousands."""
    if interval is None:
        yield loop_rows(loop, choose_items(loop.dataset, num=8))
        return
    for index in range(0, len(loop.dataset), interval):
        yield loop_rows(loop, [loop.dataset.get_data_info(index)])
