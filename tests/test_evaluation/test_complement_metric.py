"""What the compensation branch adds to the spotlight, on maps whose answer is known."""

import numpy as np
import pytest

from mmamr.evaluation import ComplementMetric
from mmamr.structures import CAM
from mmamr.utils import SettingError


def measured(spotlight, compensation, mask, thresholds=None):
    metric = ComplementMetric(thresholds)
    cam = CAM(dict(spotlight=spotlight[None], compensation=compensation[None]), [0], mask.shape)
    metric.process(None, [dict(cam=cam, mask=mask)])
    return metric.evaluate(1)


@pytest.fixture
def mask():
    """An object of 8 x 16 pixels; the spotlight will see its upper half."""
    mask = np.zeros((16, 16), dtype=np.uint8)
    mask[:8] = 1
    return mask


def test_a_second_map_that_sees_the_rest(mask):
    spotlight, compensation = np.zeros((2, 16, 16), dtype=np.float32)
    spotlight[:4], compensation[4:8] = 1, 1
    spotlight[8:12] = 0.1  # a lower threshold would add as many pixels, all wrong
    found = measured(spotlight, compensation, mask)
    assert found == {'complement/compensation': 100, 'complement/spotlight': 0}


def test_a_second_map_like_the_first_adds_what_a_lower_threshold_adds(mask):
    rng = np.random.default_rng(0)
    spotlight = np.where(mask == 1, 0.3, 0) + 0.4 * rng.random((16, 16))
    found = measured(spotlight.astype(np.float32), spotlight.astype(np.float32), mask, dict(spotlight=0.5))
    assert found['complement/compensation'] == pytest.approx(found['complement/spotlight'], abs=2)
    assert found['complement/compensation'] > 50


def test_the_same_map_adds_nothing(mask):
    spotlight = np.linspace(1, 0, 256, dtype=np.float32).reshape(16, 16)
    assert measured(spotlight, spotlight, mask) == {'complement/compensation': 0, 'complement/spotlight': 0}


def test_void_pixels_do_not_count(mask):
    spotlight, compensation = np.zeros((2, 16, 16), dtype=np.float32)
    spotlight[:4], compensation[4:6] = 1, 1
    mask[6:8] = 255
    assert measured(spotlight, compensation, mask)['complement/compensation'] == 100


def test_refused(mask):
    with pytest.raises(SettingError, match=r"of spotlight and compensation, but got \['compensation', 'other', 's"):
        ComplementMetric(dict(other=0.1))
    with pytest.raises(SettingError, match=r'thresholds\.spotlight'):
        ComplementMetric(dict(spotlight=2))
    cam = CAM(dict(spotlight=np.zeros((1, 16, 16))), [0], mask.shape)
    with pytest.raises(SettingError, match=r"no second branch, only \['spotlight'\]"):
        ComplementMetric().process(None, [dict(cam=cam, mask=mask)])
