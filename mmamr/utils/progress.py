"""A progress bar with the time left, where somebody looks."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import TypeVar

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .interrupts import raise_if_interrupted

Item = TypeVar('Item')

SLOW = 3.0
"""Seconds after which somebody wants to know how far a pass is."""


@contextmanager
def progress_bar(description: str, total: int | None, after: float = 0) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal of the main process, where somebody looks; elsewhere there is none.

    Args:
        description (str): A few words in front of the bar.
        total (int, optional): Number of items; None if nobody knows.
        after (float): Seconds until it appears, so that what takes a moment shows none. Defaults to 0.

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
    with ExitStack() as stack:
        progress: Progress | None = None
        done, start = 0, monotonic()

        def advance(count: int) -> None:
            nonlocal progress, done
            if progress is None and monotonic() - start < after:
                done += count
                return
            if progress is None:
                progress = stack.enter_context(Progress(*columns, console=console))
                progress.add_task(description, total=total)
                count += done
            progress.advance(progress.task_ids[0], count)

        if after <= 0:
            advance(0)
        yield advance


def track(items: Iterable[Item], description: str, total: int | None = None, after: float = 0) -> Iterator[Item]:
    """Go through ``items`` with a progress bar on the terminal of the main process; elsewhere just go through them.

    Args:
        items (Iterable): What to go through.
        description (str): A few words in front of the bar.
        total (int, optional): Number of items. Defaults to None: ``len(items)`` where they have one.
        after (float): Seconds until the bar appears. Defaults to 0.

    Yields:
        The items.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress_bar(description, total, after) as advance:
        for item in items:
            yield item
            raise_if_interrupted()
            advance(1)


def track_slow(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """:func:`track` whose bar appears only where the pass takes longer than :data:`SLOW` seconds."""
    return track(items, description, total, SLOW)
