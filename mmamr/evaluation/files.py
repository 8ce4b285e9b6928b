"""Measure files, several processes at a time."""
import multiprocessing
from typing import Any, Callable, Dict, List, Sequence

from mmengine.evaluator import BaseMetric
from torch.utils.data import DataLoader, Dataset

from mmamr.utils import track


def process_files(metrics: Sequence[BaseMetric],
                  items: Sequence[Any],
                  read_sample: Callable[[Any], Dict],
                  num_workers: int = 0) -> None:
    """Let metrics process one sample after the other; what they count is added up, so that the result is the same.

    Args:
        metrics (Sequence[BaseMetric]): The metrics, with their ``dataset_meta``.
        items (Sequence): What the samples are read from.
        read_sample (Callable): Reads the sample of an item, a dict as ``process`` of the metrics wants it.
        num_workers (int): Processes that read and count; 0 is this one alone. Defaults to 0.
    """
    # workers share the metrics and read_sample by fork; where there is none, one process does it
    if 'fork' not in multiprocessing.get_all_start_methods():
        num_workers = 0
    counts = DataLoader(
        _Counts(metrics, items, read_sample),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        multiprocessing_context='fork' if num_workers else None)
    for parts in track(counts, 'metrics'):
        for metric, part in zip(metrics, parts):
            add_counts(metric, part)


class _Counts(Dataset):
    """What each metric counts of each item."""

    def __init__(self, metrics: Sequence[BaseMetric], items: Sequence[Any], read_sample: Callable[[Any], Dict]) -> None:
        self.metrics = metrics
        self.items = items
        self.read_sample = read_sample

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> List[Any]:
        sample = self.read_sample(self.items[index])
        parts = []
        for metric in self.metrics:
            metric.process(None, [sample])
            parts.append(take_counts(metric))
        return parts


def _as_it_is(parts: List[Any]) -> List[Any]:
    return parts


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
