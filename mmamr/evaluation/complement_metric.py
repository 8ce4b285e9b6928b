from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from mmamr.cams import upsample
from mmamr.registry import METRICS
from mmamr.utils import SettingError, check_number

IGNORE = 255
BINS = 1000


@METRICS.register_module()
class ComplementMetric(BaseMetric):
    """Whether the compensation branch covers what the spotlight leaves out of the objects.

    A second map always adds something, were it only what a lower threshold of the first adds. So the spotlight itself
    is the control: at the lower threshold at which it has as many pixels as both maps together. Metrics, in percent of
    the object pixels that the spotlight does not reach:

    - ``<prefix>/compensation``: those that the compensation map reaches.
    - ``<prefix>/spotlight``: those that the spotlight reaches at that lower threshold.

    Each class of an image counts by itself.

    Args:
        thresholds (Mapping[str, float], optional): The background threshold of either branch. Defaults to 0.2 for both.
        collect_device (str): As in mmengine. Defaults to ``'cpu'``.
        prefix (str, optional): Defaults to ``'complement'``.
    """

    default_prefix = 'complement'

    def __init__(
        self,
        thresholds: Mapping[str, float] | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix)
        self.thresholds = {'spotlight': 0.2, 'compensation': 0.2, **(thresholds or {})}
        if set(self.thresholds) != {'spotlight', 'compensation'}:
            raise SettingError(f'thresholds are of spotlight and compensation, but got {sorted(self.thresholds)}')
        for name, threshold in self.thresholds.items():
            check_number(f'thresholds.{name}', threshold, 0, 1)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Count the pixels of some images.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): ``cam`` (:class:`CAM` of both branches) and ``mask`` ``(H, W)``.
        """
        for sample in data_samples:
            cam, mask = sample['cam'], sample['mask']
            if not {'spotlight', 'compensation'} <= set(cam.maps):
                raise SettingError(f'the CAM has no second branch, only {sorted(cam.maps)}')
            first, second = (upsample(cam.maps[name], mask.shape) for name in ('spotlight', 'compensation'))
            valid = mask != IGNORE
            for label, one, other in zip(cam.classes, first, second):
                missed = valid & (one < self.thresholds['spotlight'])
                missed_object = missed & (mask == label + 1)
                covers = other >= self.thresholds['compensation']
                self.results.append(
                    (
                        histogram(one[missed]),
                        histogram(one[missed_object]),
                        int((covers & missed).sum()),
                        int((covers & missed_object).sum()),
                    )
                )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Both shares, in percent; 0 where the spotlight reaches everything."""
        missed, objects, added, covered = (sum(part) for part in zip(*results))
        total = max(int(np.sum(objects)), 1)
        # from the highest score that the spotlight does not reach downwards, until as many pixels are added
        reached, on_objects = np.cumsum(missed[::-1]), np.cumsum(objects[::-1])
        control = np.interp(added, [0, *reached], [0, *on_objects])
        return dict(compensation=100 * covered / total, spotlight=100 * float(control) / total)


def histogram(scores: np.ndarray) -> np.ndarray:
    """How many scores of [0, 1] are in each of :data:`BINS` bins."""
    return np.histogram(scores, BINS, (0, 1))[0]
