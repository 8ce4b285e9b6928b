"""Work on many items in several processes."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from itertools import pairwise
from typing import Any, TypeVar

import torch

from .progress import progress_bar

Item = TypeVar('Item')
Result = TypeVar('Result')

# What a worker process does, and where it counts; set once when it starts instead of sent with every task.
_work: Callable[[Sequence[Any], Callable[[], None]], Any] | None = None
_done: Any = None


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
            raised here.
        items (Sequence): The items.
        num_workers (int): Processes; 0 is this one alone.
        description (str): A few words in front of the progress bar.

    Returns:
        list: What ``work`` returned for each part, in the order of the items.
    """
    # other processes share the work by fork; where there is none, this one does it all
    if num_workers == 0 or len(items) == 0 or 'fork' not in multiprocessing.get_all_start_methods():
        with progress_bar(description, len(items)) as advance:
            return [work(items, lambda: advance(1))]
    context = multiprocessing.get_context('fork')
    done = context.Value('q', 0)
    count = min(num_workers, len(items))
    bounds = [len(items) * index // count for index in range(count + 1)]
    with (
        ProcessPoolExecutor(count, context, _start, (work, done)) as pool,
        progress_bar(description, len(items)) as advance,
    ):
        parts = [pool.submit(_run, items[start:end]) for start, end in pairwise(bounds)]
        seen, waiting = 0, set(parts)
        while waiting:
            finished, waiting = wait(waiting, timeout=0.2, return_when='FIRST_EXCEPTION')
            if any(part.exception() for part in finished):
                pool.shutdown(wait=False, cancel_futures=True)
                break
            now = done.value
            advance(now - seen)
            seen = now
        return [part.result() for part in parts]


def _start(work: Callable, done: Any) -> None:
    global _work, _done
    _work, _done = work, done
    # OpenMP's threads do not survive a fork
    torch.set_num_threads(1)


def _run(items: Sequence[Any]) -> Any:
    def advance() -> None:
        with _done.get_lock():
            _done.value += 1

    assert _work is not None
    return _work(items, advance)
