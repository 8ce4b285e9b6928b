import numpy as np
import pytest

from mmamr.cams import doubt_histograms, doubt_limits, leave_open, object_scores
from mmamr.structures import CAM
from mmamr.utils import SettingError


def sample(seed=0, size=(40, 50)):
    random = np.random.default_rng(seed)
    scores = random.random(size, dtype=np.float32)
    label = np.where(scores > 0.5, random.integers(1, 4, size), 0).astype(np.uint8)
    label[:3] = 255
    return scores, label


def test_the_least_sure_shares_are_left_open():
    images = [sample(0), sample(1, (30, 20)), sample(2, (5, 400))]
    limits = doubt_limits(sum(doubt_histograms(*image) for image in images), background=0.3, objects=0.1)
    for share, part in ((0.3, lambda label: label == 0), (0.1, lambda label: (label > 0) & (label < 255))):
        doubted = sum((leave_open(label, scores, limits)[part(label)] == 255).sum() for scores, label in images)
        total = sum(part(label).sum() for _, label in images)
        assert share - 0.01 < doubted / total <= share
    for scores, label in images:
        opened = leave_open(label, scores, limits)
        kept = opened != 255
        assert (opened[kept] == label[kept]).all() and (opened[label == 255] == 255).all()
        background, objects = scores[label == 0], scores[(label > 0) & (label < 255)]
        assert background[opened[label == 0] == 255].min() > background[opened[label == 0] == 0].max()
        assert objects[opened[(label > 0) & (label < 255)] == 255].max() < objects.max()


def test_no_share_and_every_share():
    scores, label = sample()
    histograms = doubt_histograms(scores, label)
    assert (leave_open(label, scores, doubt_limits(histograms, 0, 0)) == label).all()
    assert (leave_open(label, scores, doubt_limits(histograms, 1, 1)) == 255).all()
    nothing = doubt_limits(np.zeros_like(histograms), 0.3, 0.3)
    assert nothing.background >= 0  # no pixels, no matter
    with pytest.raises(SettingError, match='background'):
        doubt_limits(histograms, 1.1, 0)


def test_scores_are_the_mean_of_the_sources():
    one = CAM(dict(walk=np.full((2, 4, 5), 0.5, np.float16)), [0, 2], (16, 20))
    two = CAM(dict(spotlight=np.ones((2, 4, 5)), compensation=np.zeros((2, 4, 5))), [0, 2], (16, 20))
    none = CAM(dict(walk=np.zeros((0, 4, 5))), [], (16, 20))
    np.testing.assert_allclose(object_scores([one]), np.full((16, 20), 0.5))
    np.testing.assert_allclose(object_scores([one, two], xi=0.3), np.full((16, 20), 0.4))
    np.testing.assert_allclose(object_scores([none]), np.zeros((16, 20)))
