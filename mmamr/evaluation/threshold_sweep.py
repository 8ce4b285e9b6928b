"""The confusion matrices of all background thresholds from one pass over the data."""

from collections.abc import Sequence

import numpy as np

from mmamr.utils import SettingError

IGNORE = 255
THRESHOLDS: tuple[float, ...] = tuple(number / 100 for number in range(1, 100))

BLOCK = 1 << 15
"""Pixels that are looked at together: their numbers stay in a core's cache."""
WAITING = 1 << 17
"""Pixels that are counted together: a table of all classes is written once for them."""


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
        self._divisor = even_divisor(self.thresholds)
        self._counts = np.zeros((len(self.thresholds) + 1, num_classes, num_classes + 1), dtype=np.int64)
        self._waiting: list[np.ndarray] = []

    @property
    def counts(self) -> np.ndarray:
        """``[n, c, g]``: pixels whose score reaches n of the thresholds, of winning class c and true class g; int64."""
        if self._waiting:
            levels, winners, truths = self._counts.shape
            places = np.concatenate(self._waiting)
            found = np.bincount(places, minlength=levels * winners * (truths + 1))
            self._counts += found.reshape(levels, winners, truths + 1)[..., :-1]
            self._waiting = []
        return self._counts

    @counts.setter
    def counts(self, counts: np.ndarray) -> None:
        self._counts, self._waiting = counts, []

    def __getstate__(self) -> dict:
        """What another process gets are counts, not pixels that wait to be counted."""
        return {**self.__dict__, '_counts': self.counts, '_waiting': []}

    def add(self, places: np.ndarray) -> None:
        """Count pixels by their places ``(n * K + c) * (K + 2) + g`` in :attr:`counts`; g is K + 1 where ignored."""
        self._waiting.append(places)
        if sum(map(len, self._waiting)) >= WAITING:
            _ = self.counts

    def update(
        self,
        maps: np.ndarray,
        classes: Sequence[int],
        target: np.ndarray,
        background: np.ndarray | None = None,
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
        update_rows([self], maps[None], classes, true_places(target, self.num_classes), background)

    def reached(self, score: np.ndarray) -> np.ndarray:
        """How many of the thresholds each score reaches; int32."""
        if self._divisor is None:
            return np.searchsorted(self.thresholds, score, side='right').astype(np.int32)
        # The nearest threshold, and whether that one is reached: no search
        nearest = score * self._divisor
        np.rint(nearest, out=nearest)
        nearest.clip(1, len(self.thresholds), out=nearest)
        reached = nearest.astype(np.int32)
        nearest /= self._divisor
        reached -= score < nearest
        return reached

    def confusion(self) -> np.ndarray:
        """Confusion matrices ``(T, K + 1, K + 1)`` of all thresholds: ``[t, true class, predicted class]``."""
        at_least = self.counts[::-1].cumsum(0)[::-1]
        foreground = at_least[1:]
        background = self.counts.sum((0, 1)) - foreground.sum(1)
        return np.concatenate([background[:, None], foreground], 1).transpose(0, 2, 1)

    def nearest(self, threshold: float) -> int:
        """Index of the threshold that is nearest to a wanted one."""
        return int(np.abs(self.thresholds - np.float32(threshold)).argmin())


def update_rows(
    sweeps: Sequence[ThresholdSweep],
    maps: np.ndarray,
    classes: Sequence[int],
    truth: np.ndarray,
    background: np.ndarray | None = None,
) -> None:
    """Count the pixels of one image for several sweeps over the same thresholds: :meth:`ThresholdSweep.update`.

    Args:
        sweeps (Sequence[ThresholdSweep]): The R sweeps.
        maps (np.ndarray): ``(R, k, H, W)``, maps of the k classes of the image for each of them.
        classes (Sequence[int]): These classes, counted from 0.
        truth (np.ndarray): True classes of the image, as :func:`true_places` gives them.
        background (np.ndarray, optional): Scores of the background ``(T, H, W)``. Defaults to None.

    Raises:
        ValueError: If a class is none of the K.
    """
    num_classes = sweeps[0].num_classes
    if not all(0 <= index < num_classes for index in classes):
        raise SettingError(f'maps of the classes {list(classes)}, but there are {num_classes}, counted from 0')
    rows, number = maps.shape[:2]
    if number == 0:
        for sweep in sweeps:
            sweep.add(truth)
        return
    maps = maps.reshape(rows, number, -1)
    if background is not None:
        background = background.reshape(len(background), -1)
    of_map = np.int32(num_classes + 2)
    of_score = np.int32(num_classes) * of_map
    width = max(1, BLOCK // rows)
    for begin in range(0, len(truth), width):
        part = slice(begin, begin + width)
        score, winner = strongest(maps[..., part], [np.int32(index) * of_map for index in classes])
        if background is None:
            places = sweeps[0].reached(score)
        else:
            places = (background[:, None, part] <= score).sum(0, np.int32)
        places *= of_score
        places += truth[part]
        places += winner
        for sweep, one in zip(sweeps, places):
            sweep.add(one)


def true_places(target: np.ndarray, num_classes: int) -> np.ndarray:
    """True classes as int32 ``(H * W, )``, in which K + 1 stands for ignored pixels.

    Raises:
        ValueError: If a value is neither 0 to K nor 255.
    """
    if target.dtype != np.uint8:
        check_values(target, num_classes, 'mask')
    table = np.full(256, -1, dtype=np.int32)
    table[: num_classes + 1] = np.arange(num_classes + 1)
    table[IGNORE] = num_classes + 1
    places = table[target.ravel()]
    if places.size and places.min() < 0:
        check_values(target, num_classes, 'mask')
    return places


def strongest(maps: np.ndarray, labels: Sequence[np.int32]) -> tuple[np.ndarray, np.ndarray | np.int32]:
    """The largest score of each pixel, float32, and the label of the map that has it; the first where several do.

    Args:
        maps (np.ndarray): ``(R, k, N)``; k is 1 at least.
        labels (Sequence[int32]): One of each of the k maps.

    Returns:
        tuple[np.ndarray, np.ndarray | int32]: Both ``(R, N)``; the only label where there is one map.
    """
    score = maps[:, 0].astype(np.float32, copy=False)
    if maps.shape[1] == 1:
        return score, labels[0]
    winner = np.full(score.shape, labels[0], dtype=np.int32)
    for place in range(1, maps.shape[1]):
        other = maps[:, place]
        np.copyto(winner, labels[place], where=other > score)
        score = np.maximum(score, other, dtype=np.float32)
    return score, winner


def even_divisor(thresholds: np.ndarray) -> np.float32 | None:
    """What divides 1, 2, 3, … so that the thresholds result, to the last bit; None if nothing does."""
    divisor = np.float32(1) / thresholds[0] if thresholds[0] > 0 else np.float32(0)
    divisor = np.float32(np.rint(divisor))
    numbers = np.arange(1, len(thresholds) + 1, dtype=np.float32)
    return divisor if divisor > 0 and (numbers / divisor == thresholds).all() else None


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
