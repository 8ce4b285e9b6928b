"""Measure files, several processes at a time."""

from collections.abc import Callable, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from mmamr.utils import share_work

ReadSample = Callable[[Any], dict]


def process_files(
    metrics: Sequence[BaseMetric], items: Sequence[Any], read_sample: ReadSample, num_workers: int = 0
) -> None:
    """Let metrics process one sample after the other; each process adds up its counts and hands them over once.

    Args:
        metrics (Sequence[BaseMetric]): The metrics, with their ``dataset_meta``.
        items (Sequence): What the samples are read from.
        read_sample (Callable): Reads the sample of an item, a dict as ``process`` of the metrics wants it. What it
            raises in another process is raised here.
        num_workers (int): Processes that read and count; 0 is this one alone. Defaults to 0.
    """

    def count(part: Sequence[Any], advance: Callable[[], None]) -> list[Any]:
        for item in part:
            sample = read_sample(item)
            for metric in metrics:
                metric.process(None, [sample])
            advance()
        return [take_counts(metric) for metric in metrics]

    for counts in share_work(count, items, num_workers, 'metrics'):
        for metric, part in zip(metrics, counts):
            add_counts(metric, part)


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
