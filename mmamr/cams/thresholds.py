"""A background threshold that needs no masks: where the histogram of the scores parts."""

import numpy as np

from mmamr.structures import CAM

from .maps import mix

BINS = 100


def histogram_power(cam: CAM) -> float:
    """The power of a CAM's scores whose histogram parts where the objects end.

    Scores of a CAM that was spread (:func:`mmamr.cams.spread_cam`) have a long tail, and Otsu's threshold of them would
    be too high; it is taken of their square roots. That was chosen on three data sets, with two classifiers.
    """
    return 0.5 if set(cam.maps) == {'foreground'} else 1.0


def score_histogram(cam: CAM, xi: float = 0.5, bins: int = BINS) -> np.ndarray:
    """How the largest scores of the pixels of one image are distributed, to the power of :func:`histogram_power`.

    Args:
        cam (CAM): CAMs, whose branches are mixed, or scores after a random walk.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        bins (int): Number of equal bins of [0, 1]. Defaults to 100.

    Returns:
        np.ndarray: Shares ``(bins, )`` that add up to 1, so that each image counts the same; zeros without a map.
    """
    maps = mix(cam, xi)
    if maps.size == 0:
        return np.zeros(bins)
    score = maps.max(0).clip(0, 1) ** histogram_power(cam)
    return np.histogram(score, bins=bins, range=(0, 1))[0] / score.size


def otsu_threshold(histogram: np.ndarray, power: float = 1.0) -> float:
    """Threshold whose two parts of the scores lie farthest from each other, by their variance.

    Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on Systems, Man, and Cybernetics
    1979.

    Args:
        histogram (np.ndarray): Counts or shares of equal bins of [0, 1], ``(bins, )``.
        power (float): Of the scores that were counted. Defaults to 1.

    Returns:
        float: Threshold of the scores themselves, in (0, 1), to two places; 0.2 where the histogram does not part (it
        is empty, or one bin is all).
    """
    shares = np.asarray(histogram, dtype=np.float64)
    centres = (np.arange(len(shares)) + 0.5) / len(shares)
    if np.count_nonzero(shares) < 2:
        return 0.2
    mass, moment = shares.cumsum(), (shares * centres).cumsum()
    # the last bin belongs to the upper part in any case
    low, low_moment = mass[:-1], moment[:-1]
    high, high_moment = mass[-1] - low, moment[-1] - low_moment
    parts = (low > 0) & (high > 0)
    gap = high_moment[parts] / high[parts] - low_moment[parts] / low[parts]
    variance = low[parts] * high[parts] * gap**2
    # empty bins between the parts make equal borders: the one in their middle
    best = (np.flatnonzero(parts) + 1)[np.isclose(variance, variance.max(), rtol=1e-9)]
    return round(float(best.mean() / len(shares)) ** (1 / power), 2)


def candidates(threshold: float, factors: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5)) -> list[float]:
    """Thresholds around a chosen one, to look at.

    Args:
        threshold (float): The chosen one.
        factors (tuple[float]): What it is multiplied by. Defaults to half to one and a half.

    Returns:
        list[float]: In [0.01, 0.99], to two places, ascending, each once.
    """
    return sorted({round(min(max(threshold * factor, 0.01), 0.99), 2) for factor in factors})
