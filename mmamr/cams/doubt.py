"""Which pixels of a pseudo label to doubt: no masks are needed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmamr.structures import CAM
from mmamr.utils import check_number

from .large_maps import bands
from .maps import mix

BINS = 1000
IGNORE = 255


class DoubtLimits(NamedTuple):
    """Between which scores a label is doubted: background that scores above one, objects that score below the other."""

    background: float
    objects: float


def object_scores(cams: Sequence[CAM], xi: float = 0.5) -> np.ndarray:
    """How much speaks for an object at each pixel: the largest score, on average over several sources.

    Args:
        cams (Sequence[CAM]): Of one image: CAMs, whose branches are mixed, or scores after a random walk, or both.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.

    Returns:
        np.ndarray: float32 ``(H, W)`` at the size of the image, in [0, 1].
    """
    total = np.zeros(cams[0].size, dtype=np.float32)
    for cam in cams:
        maps = mix(cam, xi)
        if len(maps):
            for rows, large in bands(maps, cam.size):
                total[rows] += large.max(0).clip(0, 1)
    return total / len(cams)


def doubt_histograms(scores: np.ndarray, label: np.ndarray, bins: int = BINS) -> np.ndarray:
    """How the scores of an image's background and of its objects are distributed.

    Args:
        scores (np.ndarray): Those of :func:`object_scores`, ``(H, W)``.
        label (np.ndarray): 0 background, c + 1 foreground, 255 ignored, ``(H, W)``.
        bins (int): Number of equal bins of [0, 1]. Defaults to 1000.

    Returns:
        np.ndarray: Pixels of background and of objects in each bin, ``(2, bins)``.
    """
    parts = (label == 0, (label != 0) & (label != IGNORE))
    return np.stack([np.histogram(scores[part], bins=bins, range=(0, 1))[0] for part in parts])


def doubt_limits(histograms: np.ndarray, background: float, objects: float) -> DoubtLimits:
    """The scores beyond which the least sure share of the background, and of the objects, lies.

    Args:
        histograms (np.ndarray): Those of :func:`doubt_histograms`, added up over all images, ``(2, bins)``.
        background (float): Share of the background that is doubted, in [0, 1].
        objects (float): Share of the objects that is doubted, in [0, 1].

    Returns:
        DoubtLimits: To the width of a bin; never more than the shares.
    """
    check_number('background', background, 0, 1)
    check_number('objects', objects, 0, 1)
    bins = histograms.shape[1]
    high = np.append(np.cumsum(histograms[0][::-1])[::-1], 0)  # at or above each border of the bins
    low = np.insert(np.cumsum(histograms[1]), 0, 0)  # below each border
    border = int(np.argmax(high <= background * high[0]))
    return DoubtLimits(
        background=(border if border < bins else bins + 1) / bins,  # the last bin has 1 in it
        objects=int(np.flatnonzero(low <= objects * low[-1])[-1]) / bins,
    )


def leave_open(label: np.ndarray, scores: np.ndarray, limits: DoubtLimits) -> np.ndarray:
    """A label whose doubtful pixels are 255.

    Args:
        label (np.ndarray): uint8 ``(H, W)``: 0 background, c + 1 foreground, 255 ignored.
        scores (np.ndarray): Those of :func:`object_scores`, ``(H, W)``.
        limits (DoubtLimits): Background from its limit on, and objects below theirs, are left open.

    Returns:
        np.ndarray: uint8 ``(H, W)``.
    """
    doubtful = np.where(label == 0, scores >= limits.background, scores < limits.objects)
    return np.where(doubtful, np.uint8(IGNORE), label)
