from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from prettytable import PrettyTable

from mmamr.registry import METRICS

from .threshold_sweep import IGNORE, check_values, listed, scores


@METRICS.register_module()
class LabelMetric(BaseMetric):
    """Quality of label maps such as pseudo labels, against masks.

    Metrics: ``mIoU`` over background and classes; ``FP`` and ``FN``, the shares of wrongly labelled and of missed
    pixels in the union of label and mask, mean over the foreground classes, so that IoU + FP + FN = 100 for each;
    ``coverage``, the share of pixels whose label is not 255. Pixels that are 255 in label or mask are left out of the
    others. All in percent.

    Args:
        collect_device (str): Where counts are summed over processes. Defaults to ``'cpu'``.
        prefix (str): Prefix of the names. Defaults to ``'label'``.

    Attributes:
        details (dict): After an evaluation ``classes``, background first, and ``rows``: under the prefix ``iou``,
            ``precision`` and ``recall`` of each class, None for one that is nowhere.
    """

    def __init__(self, collect_device: str = 'cpu', prefix: str = 'label') -> None:
        super().__init__(collect_device, prefix)
        self.counts: np.ndarray | None = None
        self.details: dict[str, Any] = {}

    def _empty(self) -> np.ndarray:
        # one row more than classes: labels 255, which are counted for the coverage
        return np.zeros((len(self.dataset_meta['classes']) + 2, len(self.dataset_meta['classes']) + 1), dtype=np.int64)

    def process(self, data_batch: dict | None, data_samples: Sequence[dict]) -> None:
        """Count the pixels of some images.

        Args:
            data_batch (dict, optional): Not used.
            data_samples (Sequence[dict]): With ``label`` and ``mask`` ``(H, W)``: 0 background, c + 1 foreground, 255
                unsure or ignored.

        Raises:
            ValueError: If a label or mask has another value.
        """
        if self.counts is None:
            self.counts = self._empty()
        labels, truths = self.counts.shape
        for sample in data_samples:
            for name in ('label', 'mask'):
                check_values(sample[name], truths - 1, name)
            known = sample['mask'] != IGNORE
            label = np.minimum(sample['label'][known].astype(np.int64), labels - 1)
            self.counts += np.bincount(label * truths + sample['mask'][known], minlength=self.counts.size).reshape(
                self.counts.shape
            )

    def take_counts(self) -> np.ndarray | None:
        """What was counted so far; nothing is left."""
        counts, self.counts = self.counts, None
        return counts

    def add_counts(self, counts: np.ndarray | None) -> None:
        """Add what :meth:`take_counts` of another process took."""
        if counts is not None:
            self.counts = counts if self.counts is None else self.counts + counts

    def evaluate(self, size: int) -> dict[str, float]:
        """Sum the counts of all processes and compute the metrics; the same on every process."""
        counts = torch.from_numpy(self._empty() if self.counts is None else self.counts)
        all_reduce(counts)
        self.counts = counts.numpy()
        metrics = self.compute_metrics([])
        self.counts = None
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of the counts so far; logs the table."""
        assert self.counts is not None  # evaluate() sums them up first
        confusion = self.counts[:-1].T
        values = scores(confusion)
        hit, truth, predicted = np.diagonal(confusion), confusion.sum(1), confusion.sum(0)
        union = np.maximum(truth + predicted - hit, 1)
        false_positive, false_negative = 100 * (predicted - hit) / union, 100 * (truth - hit) / union
        table = PrettyTable(['class', 'IoU', 'FP', 'FN', 'precision', 'recall'])
        columns = (values['iou'], false_positive, false_negative, values['precision'], values['recall'])
        for index, name in enumerate(('background', *self.dataset_meta['classes'])):
            table.add_row([name] + [f'{column[index]:.2f}' for column in columns])
        known = ~np.isnan(values['iou'][1:])
        metrics = dict(
            mIoU=float(values['miou']),
            FP=float(false_positive[1:][known].mean()) if known.any() else 0.0,
            FN=float(false_negative[1:][known].mean()) if known.any() else 0.0,
            coverage=float(100 * confusion.sum() / max(self.counts.sum(), 1)),
        )
        self.details = dict(
            classes=['background', *self.dataset_meta['classes']],
            rows={self.prefix: {name: listed(values[name]) for name in ('iou', 'precision', 'recall')}},
        )
        MMLogger.get_current_instance().info(f'{self.prefix}:\n{table.get_string()}')
        return metrics
