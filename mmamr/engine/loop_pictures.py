"""Pictures of what a test loop has made, in files or on the screen."""

import os.path as osp
from collections.abc import Iterator

from mmengine.runner import Runner

from mmamr.datasets.items import choose_items
from mmamr.visualization import Row, draw_sheet, save_rows

from .loops import ImageFilesLoop


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


def _rows_in_turn(loop: ImageFilesLoop, interval: int | None) -> Iterator[list[Row]]:
    """All rows at once, or one after the other where there may be thousands."""
    if interval is None:
        yield loop.rows(choose_items(loop.dataset, num=8))
        return
    for index in range(0, len(loop.dataset), interval):
        yield loop.rows([loop.dataset.get_data_info(index)])
