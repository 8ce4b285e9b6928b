"""The threshold that a histogram of scores parts at."""

import numpy as np
import pytest

from mmamr.cams import candidates, histogram_power, otsu_threshold, score_histogram
from mmamr.structures import CAM


def histogram(*groups):
    """Of groups of scores: ``(mean, spread, number)``."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(mean, spread, number) for mean, spread, number in groups])
    return np.histogram(scores.clip(0, 1), 100, (0, 1))[0]


@pytest.mark.parametrize(
    'groups, low, high',
    [
        (((0.1, 0.02, 1000), (0.9, 0.02, 1000)), 0.49, 0.51),
        (((0.05, 0.03, 9000), (0.6, 0.15, 1000)), 0.25, 0.4),
        (((0.3, 0.05, 1000), (0.8, 0.05, 3000)), 0.45, 0.65),
    ],
)
def test_parts_two_groups(groups, low, high):
    assert low <= otsu_threshold(histogram(*groups)) <= high


def test_is_the_largest_variance_between():
    """Against the criterion written out for each border."""
    counts = np.random.default_rng(1).integers(1, 50, 20)
    values = np.repeat((np.arange(20) + 0.5) / 20, counts)

    def within(border):
        parts = values[values < border / 20], values[values > border / 20]
        return sum(len(part) * part.var() for part in parts)

    assert otsu_threshold(counts) == min(range(1, 20), key=within) / 20


def test_scale_and_nothing():
    counts = histogram((0.1, 0.05, 500), (0.7, 0.1, 300))
    assert otsu_threshold(counts) == otsu_threshold(counts / counts.sum()) == otsu_threshold(7 * counts)
    assert otsu_threshold(np.zeros(100)) == otsu_threshold(np.eye(100)[30]) == 0.2


def test_each_image_counts_the_same():
    small = CAM(dict(spotlight=np.full((1, 2, 2), 0.5)), [0], (8, 8))
    maps = np.stack([np.full((20, 20), 0.9), np.full((20, 20), 0.2)])
    large = CAM(dict(spotlight=maps, compensation=maps), [0, 2], (80, 80))
    for cam, bin_ in ((small, 50), (large, 90)):
        shares = score_histogram(cam)
        assert shares.sum() == 1 and shares.argmax() in (bin_ - 1, bin_)
    assert not score_histogram(CAM(dict(spotlight=np.zeros((0, 4, 4))), [], (16, 16))).any()


def test_candidates():
    assert candidates(0.2) == [0.1, 0.15, 0.2, 0.25, 0.3]
    assert candidates(0.01) == [0.01] and candidates(0.9)[-1] == 0.99


def test_spread_cams_are_parted_by_their_square_roots():
    scores = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32) ** 3
    spread, plain = CAM(dict(foreground=scores), [0, 1], (32, 32)), CAM(dict(spotlight=scores), [0, 1], (32, 32))
    roots = CAM(dict(spotlight=np.sqrt(scores)), [0, 1], (32, 32))
    assert (histogram_power(spread), histogram_power(plain)) == (0.5, 1)
    np.testing.assert_array_equal(score_histogram(spread), score_histogram(roots))
    assert otsu_threshold(score_histogram(spread), 0.5) == pytest.approx(
        otsu_threshold(score_histogram(roots)) ** 2, abs=6e-3
    )
    assert otsu_threshold(score_histogram(spread), 0.5) < otsu_threshold(score_histogram(plain))
