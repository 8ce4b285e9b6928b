"""A progress bar with the time left, where somebody looks."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .interrupts import raise_if_interrupted

Item = TypeVar('Item')


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal of the main process, where somebody looks; elsewhere there is none.

    Args:
        description (str): A few words in front of the bar.
        total (int, optional): Number of items; None if nobody knows.

    Yields:
        Callable: Called with the number of items that are done since the last call.
    """
    console = Console(stderr=True)
    if not (console.is_terminal and is_main_process()):
        yield lambda count: None
        return
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('<'),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(description, total=total)
        yield lambda count: progress.advance(task, count)


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Go through ``items`` with a progress bar on the terminal of the main process; elsewhere just go through them.

    Args:
        items (Iterable): What to go through.
        description (str): A few words in front of the bar.
        total (int, optional): Number of items. Defaults to None: ``len(items)`` where they have one.

    Yields:
        The items.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress_bar(description, total) as advance:
        for item in items:
            yield item
            raise_if_interrupted()
            advance(1)
