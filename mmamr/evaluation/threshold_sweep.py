"""The confusion matrices of all background thresholds from one pass over the data."""

from collections.abc import Sequence

import numpy as np

from mmamr.utils import SettingError

IGNORE = 255
THRESHOLDS: tuple[float, ...] = tuple(number / 100 for number in range(1, 100))


class ThresholdSweep:
    """Joint histogram of (score, winning class, true class), from which each threshold's confusion matrix follows.

    A pixel belongs to the class of its largest map if that reaches the threshold, else to the background, exactly as
    :func:`mmamr.cams.seed` decides. Instead of one number, a threshold may be a map of background scores, such as the
    walked background at one power: then the sweep goes over these.

    Args:
        num_classes (int): Number of foreground classes K.
        thresholds (Sequence[float]): Background thresholds, ascending; or the powers of background maps, descending.
            Defaults to 0.01, 0.02, …, 0.99.
    """

    def __init__(self, num_classes: int, thresholds: Sequence[float] = THRESHOLDS) -> None:
        self.num_classes = num_classes
        self.thresholds = np.asarray(thresholds, dtype=np.float32)
        steps = np.diff(self.thresholds)
        if len(self.thresholds) == 0 or not ((steps > 0).all() or (steps < 0).all()):
            raise SettingError(
                'thresholds must ascend (powers of the background descend) and there must be one at least'
            )
        # counts[n, c, g]: pixels whose score reaches n of the thresholds, of winning class c and true class g
        self.counts = np.zeros((len(self.thresholds) + 1, num_classes, num_classes + 1), dtype=np.int64)

    def update(
        self, maps: np.ndarray, classes: Sequence[int], target: np.ndarray, background: np.ndarray | None = None
    ) -> None:
        """Count the pixels of one image.

        Args:
            maps (np.ndarray): ``(k, H, W)``, maps of the k classes of the image.
            classes (Sequence[int]): These classes, counted from 0.
            target (np.ndarray): True classes ``(H, W)``: 0 background, c + 1 foreground, 255 ignored.
            background (np.ndarray, optional): Scores of the background ``(T, H, W)``, one map a threshold, each at
                least as high as the one before it. Defaults to None: the thresholds themselves.

        Raises:
            ValueError: If a class or a true class is none of the K.
        """
        if not all(0 <= index < self.num_classes for index in classes):
            raise SettingError(f'maps of the classes {list(classes)}, but there are {self.num_classes}, counted from 0')
        check_values(target, self.num_classes, 'mask')
        valid = target != IGNORE
        truth = target[valid].astype(np.int64)
        if len(maps) == 0:
            reached = np.zeros(truth.shape, dtype=np.int64)
            winner = reached
        else:
            best = maps.argmax(0)
            score = np.take_along_axis(maps, best[None], 0)[0][valid].astype(np.float32)
            if background is None:
                reached = np.searchsorted(self.thresholds, score, side='right')
            else:
                reached = sum((score >= one[valid]).astype(np.int64) for one in background)
            winner = np.asarray(classes, dtype=np.int64)[best[valid]]
        _, classes_total, truths = self.counts.shape
        index = (reached * classes_total + winner) * truths + truth
        self.counts += np.bincount(index, minlength=self.counts.size).reshape(self.counts.shape)

    def confusion(self) -> np.ndarray:
        """Confusion matrices ``(T, K + 1, K + 1)`` of all thresholds: ``[t, true class, predicted class]``."""
        at_least = self.counts[::-1].cumsum(0)[::-1]
        foreground = at_least[1:]
        background = self.counts.sum((0, 1)) - foreground.sum(1)
        return np.concatenate([background[:, None], foreground], 1).transpose(0, 2, 1)

    def nearest(self, threshold: float) -> int:
        """Index of the threshold that is nearest to a wanted one."""
        return int(np.abs(self.thresholds - np.float32(threshold)).argmin())


def check_values(values: np.ndarray, num_classes: int, what: str) -> None:
    """Refuse a mask or label with other values than those of the classes, which would be counted for others.

    Args:
        values (np.ndarray): Integers of any shape.
        num_classes (int): Number of foreground classes K.
        what (str): What they are, for the message.

    Raises:
        ValueError: If a value is neither 0 to K nor 255.
    """
    wrong = values[(values != IGNORE) & ((values < 0) | (values > num_classes))]
    if wrong.size:
        raise SettingError(
            f'the {what} has the value {wrong[0]}; with {num_classes} classes it is 0 (background), 1 to {num_classes} '
            f'or {IGNORE} (ignored)'
        )


def scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Per-class IoU, precision and recall in percent; NaN for a class that is neither there nor predicted.

    Args:
        confusion (np.ndarray): ``(..., C, C)``, rows the true classes.

    Returns:
        dict[str, np.ndarray]: ``iou``, ``precision``, ``recall`` of shape ``(..., C)``, ``miou`` of shape ``(...)``:
        the mean over the classes that are not NaN.
    """
    confusion = confusion.astype(np.float64)
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    truth, predicted = confusion.sum(-1), confusion.sum(-2)
    with np.errstate(invalid='ignore', divide='ignore'):
        result = {
            'iou': 100 * hit / (truth + predicted - hit),
            'precision': 100 * hit / predicted,
            'recall': 100 * hit / truth,
        }
    known = ~np.isnan(result['iou'])
    result['miou'] = np.where(known, result['iou'], 0).sum(-1) / np.maximum(known.sum(-1), 1)
    return result


def listed(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON has them, with None for NaN."""
    return [None if np.isnan(value) else float(value) for value in values]
