"""Measure files, several processes at a time."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from mmengine.evaluator import BaseMetric

from mmamr.utils import track

ReadSample = Callable[[Any], dict]


def process_files(
    metrics: Sequence[BaseMetric], items: Sequence[Any], read_sample: ReadSample, num_workers: int = 0
) -> None:
    """Let metrics process one sample after the other; what they count is added up, so that the result is the same.

    Args:
        metrics (Sequence[BaseMetric]): The metrics, with their ``dataset_meta``.
        items (Sequence): What the samples are read from.
        read_sample (Callable): Reads the sample of an item, a dict as ``process`` of the metrics wants it. What it
            raises in another process is raised here.
        num_workers (int): Processes that read and count; 0 is this one alone. Defaults to 0.
    """
    counter = _Counter(metrics, items, read_sample)
    # other processes share the counter by fork; where there is none, this one does it all
    if num_workers == 0 or 'fork' not in multiprocessing.get_all_start_methods():
        counter.add(map(counter.count, range(len(items))))
        return
    context = multiprocessing.get_context('fork')
    with ProcessPoolExecutor(min(num_workers, max(len(items), 1)), context, _start, (counter,)) as pool:
        counter.add(pool.map(_count, range(len(items))))


class _Counter:
    """What each metric counts of each item."""

    def __init__(self, metrics: Sequence[BaseMetric], items: Sequence[Any], read_sample: ReadSample) -> None:
        self.metrics = metrics
        self.items = items
        self.read_sample = read_sample

    def count(self, index: int) -> list[Any]:
        """Counts of one item, one a metric."""
        sample = self.read_sample(self.items[index])
        counts = []
        for metric in self.metrics:
            metric.process(None, [sample])
            counts.append(take_counts(metric))
        return counts

    def add(self, counts) -> None:
        """Add the counts of all items."""
        for parts in track(counts, 'metrics', len(self.items)):
            for metric, part in zip(self.metrics, parts):
                add_counts(metric, part)


# The counter of a worker process, set once when it starts instead of sent with every item.
_counter: _Counter | None = None


def _start(counter: _Counter) -> None:
    global _counter
    _counter = counter
    # OpenMP's threads do not survive a fork
    torch.set_num_threads(1)


def _count(index: int) -> list[Any]:
    return _counter.count(index)


def take_counts(metric: BaseMetric) -> Any:
    """What a metric has counted so far; it starts again from nothing."""
    if hasattr(metric, 'take_counts'):
        return metric.take_counts()
    results, metric.results = metric.results, []
    return results


def add_counts(metric: BaseMetric, counts: Any) -> None:
    """Add what :func:`take_counts` took from another metric of the same kind."""
    if hasattr(metric, 'add_counts'):
        metric.add_counts(counts)
    else:
        metric.results.extend(counts)
