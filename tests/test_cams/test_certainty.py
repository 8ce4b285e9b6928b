import numpy as np
import pytest

from mmamr.cams import certainty
from mmamr.structures import CAM


def cam(*maps, **values):
    maps = np.array(maps, dtype=np.float16).reshape(len(maps), 1, -1)
    return CAM({'walk': maps}, np.arange(len(maps)), (4, 4 * maps.shape[-1]), **values)


@pytest.mark.parametrize(
    ('maps', 'expected'),
    [
        ([[0.0, 0.0]], 1.0),  # background without a rival
        ([[0.2, 0.2]], 0.0),  # as likely as the background
        ([[0.8, 0.1]], (0.75 + 0.5) / 2),
        ([[0.8, 0.0], [0.6, 0.0]], (0.25 + 1) / 2),  # the second class is the rival
        ([[-3.0, 0.0]], 1.0),
    ],
)
def test_margin_of_the_best_score_over_the_second(maps, expected):
    assert certainty(cam(*maps), threshold=0.2) == pytest.approx(expected, abs=2e-3)


def test_without_classes_nothing_competes():
    empty = CAM({'walk': np.zeros((0, 2, 3), dtype=np.float16)}, np.zeros(0, dtype=int), (8, 12))
    assert certainty(empty) == 1.0


def test_branches_are_mixed():
    maps = {name: np.full((1, 1, 1), value, np.float16) for name, value in (('spotlight', 1), ('compensation', 0))}
    both = CAM(maps, np.array([0]), (4, 4))
    assert certainty(both, 0.25, xi=1) == pytest.approx(0.75, abs=1e-3)
    assert certainty(both, 0.25, xi=0.5) == pytest.approx(0.5, abs=1e-3)


def test_the_background_that_walked_along_is_the_rival():
    walk = cam([0.8], background=np.array([[[0.8]], [[0.4]]], dtype=np.float16), powers=np.array([16.0, 4.0]))
    assert certainty(walk, power=16) == 0
    assert certainty(walk, power=5) == pytest.approx(0.5, abs=1e-3)
    # a walk without any keeps to the threshold
    assert certainty(cam([0.8]), 0.2, power=5) == pytest.approx(0.75, abs=1e-3)


def test_of_two_thresholds_the_mean_counts():
    assert certainty(cam([0.8]), 0.7, unsure=(0.1, 0.3)) == pytest.approx(0.75, abs=1e-3)
    assert 0 <= certainty(cam([0.0]), threshold=0) <= 1
