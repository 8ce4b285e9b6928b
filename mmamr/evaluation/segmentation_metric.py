import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmseg.evaluation import IoUMetric

from mmamr.registry import METRICS
from mmamr.structures import voc_palette
from mmamr.utils import write_png


@METRICS.register_module()
class SegmentationMetric(IoUMetric):
    """mmseg's ``IoUMetric``, which also reports the IoU of each class and writes predictions as masks are stored.

    Metrics are those of the parent and ``IoU.<class>``, in percent, of each class that labels or predictions have.
    Images without masks are not measured; without any mask there are no metrics. Predictions are indexed PNGs, written
    whole, with the data set's palette and values: those of its ``mask_values`` where it has them, as a
    :class:`mmamr.datasets.SegmentationDataset` does, and else the training indices.

    Args:
        output_dir (str, optional): Folder for a ``<id>.png`` of each prediction. Defaults to None: none are written.
        **kwargs: Of :class:`mmseg.evaluation.IoUMetric`, e.g. ``format_only`` to measure nothing.

    Attributes:
        details (dict): After an evaluation, on the main process, ``classes`` and ``rows``: under the prefix (``''``
            where there is none) the ``iou`` of each class, None for one that is nowhere.
    """

    def __init__(self, output_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prediction_dir = output_dir
        self.details: dict[str, Any] = {}

    @staticmethod
    def intersect_and_union(
        pred_label: torch.Tensor, label: torch.Tensor, num_classes: int, ignore_index: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """The parent's counts, on the CPU: a histogram on a GPU has no deterministic form."""
        return IoUMetric.intersect_and_union(pred_label.cpu(), label.cpu(), num_classes, ignore_index)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the pixels of some images and write their predictions."""
        super().process(data_batch, [sample for sample in data_samples if 'gt_sem_seg' in sample])
        if self.prediction_dir is None:
            return
        meta = self.dataset_meta
        values = np.asarray(meta.get('mask_values', range(len(meta['classes']))), dtype=np.uint8)
        palette = voc_palette()
        palette[values] = meta['palette']
        for sample in data_samples:
            img_id = osp.splitext(osp.basename(sample['img_path']))[0]
            indices = sample['pred_sem_seg']['data'].squeeze(0).cpu().numpy()
            write_png(osp.join(self.prediction_dir, f'{img_id}.png'), values[indices], palette)

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Metrics of all images; the parent logs its table."""
        if self.format_only or not results:
            return {}
        metrics = super().compute_metrics(results)
        intersect, union = (sum(areas).numpy() for areas in list(zip(*results))[:2])
        classes = list(self.dataset_meta['classes'])
        iou = [float(100 * hit / total) if total > 0 else None for hit, total in zip(intersect, union)]
        self.details = dict(classes=classes, rows={self.prefix or '': dict(iou=iou)})
        metrics.update({f'IoU.{name}': round(value, 2) for name, value in zip(classes, iou) if value is not None})
        return metrics
