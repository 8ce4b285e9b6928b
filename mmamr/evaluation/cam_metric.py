import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from prettytable import PrettyTable

from mmamr.cams import mixtures, upsample
from mmamr.registry import METRICS
from mmamr.structures import CAM
from mmamr.utils import SettingError, atomic_write, check_number, check_numbers

from .threshold_sweep import THRESHOLDS, ThresholdSweep, listed, scores, true_places, update_rows

AT_ONCE = 1 << 17
"""Numbers that are looked at together, at most: more would not stay in a core's cache."""


@METRICS.register_module()
class CAMMetric(BaseMetric):
    """mIoU of CAMs against masks, at a fixed background threshold and at the best of a sweep, in one pass.

    For CAMs with two branches the rows are the spotlight CAMs, the compensation CAMs and the weighted CAMs of each ξ
    (Table 5 without inference); CAMs with one branch have one row under its own name. Metrics are named
    ``<prefix>/<row>.mIoU`` (fixed threshold), ``.best_mIoU`` and ``.best_threshold``; the log shows IoU, precision and
    recall of each class. Where a walk carried the background along, the powers of the background are swept instead.

    Args:
        threshold (float): Fixed background threshold, or power; the nearest of the sweep is taken. Defaults to 0.2, as
            in the released code (row C6).
        thresholds (Sequence[float]): The sweep. Defaults to 0.01, 0.02, …, 0.99.
        xis (Sequence[float]): Recalibration coefficients ξ of the weighted CAMs. Defaults to ``(0.5, )``.
        out_file (str, optional): JSON file for the rows of :attr:`details`. Defaults to None.
        collect_device (str): Where counts are summed over processes. Defaults to ``'cpu'``.
        prefix (str): Prefix of the names. Defaults to ``'CAM'``.

    Attributes:
        details (dict): After an evaluation, what its numbers do not tell: ``classes``, background first, and ``rows``:
            of each row the swept ``thresholds`` and the ``miou`` at each, the fixed ``threshold``, and ``iou``,
            ``precision`` and ``recall`` of each class at the best threshold; None for a class that is nowhere.
    """

    def __init__(
        self,
        threshold: float = 0.2,
        thresholds: Sequence[float] = THRESHOLDS,
        xis: Sequence[float] = (0.5,),
        out_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str = 'CAM',
    ) -> None:
        super().__init__(collect_device, prefix)
        check_number('threshold', threshold, 0)
        check_numbers('thresholds', thresholds, 0, 1)
        check_numbers('xis', xis, 0, 1)
        if any(one >= other for one, other in pairwise(thresholds)):
            raise SettingError(f'thresholds must ascend, but got {thresholds}')
        self.threshold = threshold
        self.thresholds = tuple(thresholds)
        self.xis = tuple(xis)
        self.out_file = out_file
        self.sweeps: dict[str, ThresholdSweep] = {}
        self.details: dict[str, Any] = {}

    def rows(self, branches: Sequence[str]) -> dict[str, float | None]:
        """Row names and their ξ for CAMs with these branches; None is no mixture."""
        if set(branches) == {'spotlight', 'compensation'}:
            weighted = {('weighted' if xi == 0.5 else f'weighted(xi={xi:g})'): xi for xi in self.xis}
            return {'spotlight': 1.0, 'compensation': 0.0, **weighted}
        return {name: None for name in branches}

    def process(self, data_batch: dict | None, data_samples: Sequence[dict]) -> None:
        """Count the pixels of some images.

        Args:
            data_batch (dict, optional): Not used.
            data_samples (Sequence[dict]): With ``cam`` (:class:`mmamr.cams.CAM`) and ``mask`` ``(H, W)``: 0
                background, c + 1 foreground, 255 ignored.
        """
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            cam, mask = sample['cam'], sample['mask']
            truth = true_places(mask, num_classes)
            background = None if cam.background is None else upsample(cam.background, mask.shape)
            rows = self.rows(cam.maps)
            for row in rows:
                if row not in self.sweeps:
                    self.sweeps[row] = ThresholdSweep(
                        num_classes, self.thresholds if cam.background is None else cam.powers
                    )
            sweeps = [self.sweeps[row] for row in rows]
            for first, maps in larger_rows(cam, list(rows.values()), mask.shape):
                update_rows(sweeps[first : first + len(maps)], maps, cam.classes, truth, background)

    def take_counts(self) -> dict[str, ThresholdSweep]:
        """What was counted so far; nothing is left."""
        sweeps, self.sweeps = self.sweeps, {}
        return sweeps

    def add_counts(self, counts: dict[str, ThresholdSweep]) -> None:
        """Add what :meth:`take_counts` of another process took."""
        for row, sweep in counts.items():
            if row in self.sweeps:
                self.sweeps[row].counts += sweep.counts
            else:
                self.sweeps[row] = sweep

    def evaluate(self, size: int) -> dict[str, float]:
        """Sum the counts of all processes and compute the metrics; the same on every process."""
        # a process without images has no rows yet; every process must sum the same ones in the same order
        gathered = all_gather_object({name: sweep.thresholds.tolist() for name, sweep in self.sweeps.items()})
        thresholds = {name: values for one in gathered for name, values in one.items()}
        sweeps = {}
        for name, values in thresholds.items():
            sweep = self.sweeps.get(name) or ThresholdSweep(len(self.dataset_meta['classes']), values)
            counts = torch.from_numpy(sweep.counts)
            all_reduce(counts)
            sweep.counts = counts.numpy()
            sweeps[name] = sweep
        self.sweeps = sweeps
        metrics = self.compute_metrics([])
        self.sweeps = {}
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of the counts so far; logs the tables."""
        metrics: dict[str, float] = {}
        details = {}
        summary = PrettyTable(['CAM', 'mIoU', 'threshold', 'best mIoU', 'best threshold'])
        for row, sweep in self.sweeps.items():
            values = scores(sweep.confusion())
            fixed, best = sweep.nearest(self.threshold), int(values['miou'].argmax())
            metrics[f'{row}.mIoU'] = float(values['miou'][fixed])
            metrics[f'{row}.best_mIoU'] = float(values['miou'][best])
            metrics[f'{row}.best_threshold'] = float(sweep.thresholds[best])
            summary.add_row(
                [row]
                + [
                    f'{value:.2f}'
                    for value in (
                        values['miou'][fixed],
                        sweep.thresholds[fixed],
                        values['miou'][best],
                        sweep.thresholds[best],
                    )
                ]
            )
            classes = {name: values[name][best] for name in ('iou', 'precision', 'recall')}
            self.log_classes(row, {name: (values[name][fixed], values[name][best]) for name in classes})
            details[row] = dict(
                thresholds=sweep.thresholds.tolist(),
                miou=values['miou'].tolist(),
                threshold=float(sweep.thresholds[fixed]),
                **{name: listed(value) for name, value in classes.items()},
            )
        self.details = dict(classes=['background', *self.dataset_meta['classes']], rows=details)
        if self.out_file is not None and is_main_process():
            with atomic_write(self.out_file, 'w', encoding='utf-8') as file:
                json.dump(details, file, indent=1)
        MMLogger.get_current_instance().info('CAM quality over background and classes:\n' + summary.get_string())
        return metrics

    def log_classes(self, row: str, values: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Log IoU, precision and recall of each class, at the fixed and at the best threshold."""
        names = ('iou', 'precision', 'recall')
        table = PrettyTable(['class', 'IoU', 'precision', 'recall', 'best IoU', 'best precision', 'best recall'])
        for index, name in enumerate(('background', *self.dataset_meta['classes'])):
            table.add_row([name] + [f'{values[key][at][index]:.2f}' for at in (0, 1) for key in names])
        MMLogger.get_current_instance().info(
            f'{row} CAMs at the fixed threshold, and at their best one:\n{table.get_string()}'
        )


def larger_rows(cam: CAM, xis: Sequence[float | None], size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    """The maps of some rows at the size of the image; of a large image a few at a time.

    Args:
        cam (CAM): CAMs of one image.
        xis (Sequence[float | None]): ξ of each row; None is the map as it is, of the branch at this place.
        size (tuple[int, int]): Height and width to reach.

    Yields:
        tuple[int, np.ndarray]: Number of the first row, and maps ``(R, K, H, W)`` of R of them, from there on.
    """
    known = [xi for xi in xis if xi is not None]
    maps = mixtures(cam, known) if known else np.stack(list(cam.maps.values()))
    step = max(1, AT_ONCE // max(1, maps.shape[1] * size[0] * size[1]))
    for first in range(0, len(maps), step):
        yield first, upsample(maps[first : first + step], size)
