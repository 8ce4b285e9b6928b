"""What is gained, and what lost, where doubtful pixels of labels are left open."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from prettytable import PrettyTable

from mmamr.cams import object_scores
from mmamr.registry import METRICS
from mmamr.structures import CAM
from mmamr.utils import atomic_write, check_numbers

IGNORE = 255
BINS = 1000
PARTS = ('background', 'objects')


@METRICS.register_module()
class DoubtMetric(BaseMetric):
    """Share of pixels that are kept against how many of them are right, as ``doubt`` of ``PseudoLabelLoop`` has it.

    For each source of scores (``first``, and, where the loop has a second folder, ``second`` and ``mean``) and each
    kept share, the pixels of one part that are least sure are left open: background with the highest scores, objects
    with the lowest. Of the rest ``precision`` are right; ``caught`` is the share of the wrong pixels of that part that
    are open. A row for each in the log, and in a CSV; metrics are the precisions. All in percent. The labels must be
    whole: without ``doubt`` or with shares of 0.

    Args:
        shares (Sequence[float]): Kept shares. Defaults to (1.0, 0.9, 0.8, 0.7, 0.6, 0.5).
        xi (float): Recalibration coefficient ξ (eq. 2) of CAMs with two branches. Defaults to 0.5.
        out (str, optional): CSV file of the rows. Defaults to None: there is none.
        collect_device (str): Where counts are summed over processes. Defaults to ``'cpu'``.
        prefix (str): Prefix of the names. Defaults to ``'doubt'``.
    """

    def __init__(
        self,
        shares: Sequence[float] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5),
        xi: float = 0.5,
        out: str | None = None,
        collect_device: str = 'cpu',
        prefix: str = 'doubt',
    ) -> None:
        super().__init__(collect_device, prefix)
        check_numbers('shares', shares, 0, 1)
        self.shares = tuple(shares)
        self.xi = xi
        self.out = out
        self.counts: dict[str, np.ndarray] = {}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict]) -> None:
        """Count the pixels of some images.

        Args:
            data_batch (dict, optional): Not used.
            data_samples (Sequence[dict]): With ``label`` and ``mask`` ``(H, W)``, ``cam`` and perhaps ``second``, a
                :class:`CAM` each.
        """
        for sample in data_samples:
            label, mask = sample['label'], sample['mask']
            known = (mask != IGNORE) & (label != IGNORE)
            for name, cams in sources(sample).items():
                scores = object_scores(cams, self.xi)
                total = self.counts.setdefault(name, np.zeros((2, 2, BINS), dtype=np.int64))
                for part, pixels in enumerate((known & (label == 0), known & (label != 0))):
                    for right in (0, 1):
                        chosen = scores[pixels & ((label == mask) == bool(right))]
                        total[part, right] += np.histogram(chosen, bins=BINS, range=(0, 1))[0]

    def take_counts(self) -> dict[str, np.ndarray]:
        """What was counted so far; nothing is left."""
        counts, self.counts = self.counts, {}
        return counts

    def add_counts(self, counts: dict[str, np.ndarray]) -> None:
        """Add what :meth:`take_counts` of another process took."""
        for name, total in counts.items():
            self.counts[name] = self.counts.get(name, 0) + total

    def evaluate(self, size: int) -> dict[str, float]:
        """Sum the counts of all processes and compute the metrics; the same on every process."""
        for name in ('first', 'second', 'mean'):
            # a process without images takes part in the sum all the same
            total = torch.from_numpy(self.counts.get(name, np.zeros((2, 2, BINS), dtype=np.int64)))
            all_reduce(total)
            if total.any():
                self.counts[name] = total.numpy()
        metrics = self.compute_metrics([])
        self.counts = {}
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of the counts so far; logs the table and writes the CSV."""
        rows: list[list[str]] = []
        metrics: dict[str, float] = {}
        for name, total in self.counts.items():
            for part, histograms in zip(PARTS, total):
                # the surest first: background from the lowest scores up, objects from the highest down
                wrong, right = histograms if part == 'background' else histograms[:, ::-1]
                if (wrong + right).sum() == 0:
                    continue
                for share in self.shares:
                    kept, precision, caught = (100 * value for value in kept_part(wrong, right, share))
                    rows.append([name, part, f'{kept:.1f}', f'{precision:.1f}', f'{caught:.1f}'])
                    metrics[f'{name}.{part}.{100 * share:g}'] = precision
        header = ['scores', 'part', 'kept', 'precision', 'caught']
        table = PrettyTable(header)
        table.add_rows(rows)
        MMLogger.get_current_instance().info(f'{self.prefix}:\n{table.get_string()}')
        if self.out is not None and is_main_process():
            with atomic_write(self.out, 'w', encoding='utf-8') as file:
                file.writelines(','.join(row) + '\n' for row in (header, *rows))
        return metrics


def sources(sample: dict) -> dict[str, list[CAM]]:
    """The folders whose scores are compared, and both together."""
    if sample.get('second') is None:
        return dict(first=[sample['cam']])
    return dict(first=[sample['cam']], second=[sample['second']], mean=[sample['cam'], sample['second']])


def kept_part(wrong: np.ndarray, right: np.ndarray, share: float) -> tuple[float, float, float]:
    """Keep a share of pixels, from the surest bin on, to the width of a bin.

    Args:
        wrong (np.ndarray): Wrong pixels of each bin, the surest first, ``(bins, )``.
        right (np.ndarray): Right ones.
        share (float): The share to keep at least.

    Returns:
        tuple[float, float, float]: The share that is kept, the share of it that is right, and the share of the wrong
        pixels that is not kept (0 where none is wrong).
    """
    total = np.cumsum(wrong + right)
    last = int(np.searchsorted(total, share * total[-1]))
    hits, misses = right[: last + 1].sum(), wrong[: last + 1].sum()
    caught = 1 - misses / wrong.sum() if wrong.sum() else 0.0
    return float(total[last] / total[-1]), float(hits / max(hits + misses, 1)), float(caught)
