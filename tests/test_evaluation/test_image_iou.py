import numpy as np
import pytest

from mmamr.evaluation import image_iou


@pytest.mark.parametrize(
    ('label', 'truth', 'expected'),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1], 100),
        ([0, 0, 0, 0], [0, 0, 1, 1], 25),  # background 2 of 4, class 1 nothing
        ([0, 2, 1, 1], [0, 0, 1, 1], (50 + 100 + 0) / 3),
        ([0, 0, 1, 255], [0, 255, 1, 1], 100),
        ([0, 250, 0, 250], [0, 250, 0, 250], 100),
        ([255, 255, 0, 0], [0, 0, 255, 255], None),
    ],
)
def test_mean_over_what_either_shows(label, truth, expected):
    got = image_iou(np.array([label], dtype=np.uint8), np.array([truth], dtype=np.uint8))
    assert got is expected is None or got == pytest.approx(expected)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match='size'):
        image_iou(np.zeros((1, 2), np.uint8), np.zeros((2, 1), np.uint8))
