"""A progress bar with the time left, where somebody looks."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Item = TypeVar('Item')


def track(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Go through ``items`` with a progress bar on the terminal of the main process; elsewhere just go through them.

    Args:
        items (Iterable): What to go through.
        description (str): A few words in front of the bar.
        total (int, optional): Number of items. Defaults to None: ``len(items)``.

    Yields:
        The items.
    """
    console = Console(stderr=True)
    if not (console.is_terminal and is_main_process()):
        yield from items
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
        yield from progress.track(items, total=len(items) if total is None else total, description=description)
