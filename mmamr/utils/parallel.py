"""Work on many items in several processes."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from itertools import pairwise
from typing import Any, TypeVar

import torch

from .interrupts import held_back, leave_signals_to_the_parent, raise_if_interrupted
from .progress import progress_bar

Item = TypeVar('Item')
Result = TypeVar('Result')

# What a worker process does, where it counts, and whether it should stop; set once when it starts instead of sent with
# every task.
_work: Callable[[Sequence[Any], Callable[[], None]], Any] | None = None
_done: Any = None
_stop: Any = None


class Stopped(Exception):
    """Another process failed, or the main process was asked to end."""


def share_work(
    work: Callable[[Sequence[Item], Callable[[], None]], Result],
    items: Sequence[Item],
    num_workers: int,
    description: str,
) -> list[Result]:
    """Let several processes work on a part of the items each, with one progress bar for all.

    Args:
        work (Callable): Called with some of the items, in their order, and a function to be called after each of them;
            runs in a process of its own, where it finds everything that this process has. What it raises there is
            raised here, and the other processes stop after their present item.
        items (Sequence): The items.
        num_workers (int): Processes; 0 is this one alone.
        description (str): A few words in front of the progress bar.

    Returns:
        list: What ``work`` returned for each part, in the order of the items.
    """
    # other processes share the work by fork; where there is none, or none that is safe (macOS), this one does it all
    forks = 'fork' in multiprocessing.get_all_start_methods() and sys.platform != 'darwin'
    if num_workers == 0 or len(items) == 0 or not forks:
        with progress_bar(description, len(items)) as advance:

            def step() -> None:
                advance(1)
                raise_if_interrupted()

            return [work(items, step)]
    context = multiprocessing.get_context('fork')
    done, stop = context.Value('q', 0), context.Value('b', 0)
    count = min(num_workers, len(items))
    bounds = [len(items) * index // count for index in range(count + 1)]
    start = (work, done, stop, os.getpid())
    with ProcessPoolExecutor(count, context, _start, start) as pool, progress_bar(description, len(items)) as advance:
        try:
            with held_back():  # a process that is just being forked has the handlers of this one
                parts = [pool.submit(_run, items[first:end]) for first, end in pairwise(bounds)]
            seen, waiting = 0, set(parts)
            while waiting:
                raise_if_interrupted()
                _, waiting = wait(waiting, timeout=0.2)
                now = done.value
                advance(now - seen)
                seen = now
        finally:
            stop.value = 1
        errors = [error for part in parts if (error := part.exception()) is not None]
        if errors:
            raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])
        return [part.result() for part in parts]


def _start(work: Callable, done: Any, stop: Any, parent: int) -> None:
    global _work, _done, _stop
    _work, _done, _stop = work, done, stop
    leave_signals_to_the_parent()
    # OpenMP's threads do not survive a fork
    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process if its parent was killed: nobody else would tell it that there is no more to do."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _run(items: Sequence[Any]) -> Any:
    def advance() -> None:
        with _done.get_lock():
            _done.value += 1
        if _stop.value:
            raise Stopped

    assert _work is not None
    try:
        return _work(items, advance)
    except BaseException:
        _stop.value = 1
        raise
