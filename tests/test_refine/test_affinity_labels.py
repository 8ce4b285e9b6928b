import importlib.util

import numpy as np
import pytest

from mmamr.refine import (
    AFFINITYNET_CRF,
    IRNET_CRF,
    CRFParams,
    affinity_label_affinitynet,
    affinity_label_irnet,
    crf_label,
    dense_crf,
)

FUNCTIONS = [affinity_label_irnet, affinity_label_affinitynet]


def scene(height=60, width=110):
    """Photo of two discs; for each a CAM that is 1 at its centre and falls to 0 outside of it; the distances."""
    y, x = np.mgrid[:height, :width]
    distance = np.stack([np.hypot(y - height / 2, x - width * part) for part in (0.25, 0.75)]) / (height / 4)
    image = np.full((height, width, 3), [60, 120, 70])
    image[distance[0] < 1] = [200, 60, 50]
    image[distance[1] < 1] = [80, 80, 220]
    image = image + np.random.default_rng(0).normal(0, 6, image.shape)
    return image.clip(0, 255).astype(np.uint8), np.clip(1 - distance / 1.5, 0, 1).astype(np.float32), distance


@pytest.mark.parametrize('function', FUNCTIONS)
def test_sure_inside_sure_outside(function):
    image, cam, distance = scene()
    label = function(image, cam, [7, 3])
    assert label.dtype == np.uint8 and label.shape == image.shape[:2]
    assert set(np.unique(label)) <= {0, 8, 4, 255}
    assert (label[distance[0] < 0.5] == 8).mean() > 0.95
    assert (label[distance[1] < 0.5] == 4).mean() > 0.95
    assert (label[distance.min(0) > 1.6] == 0).mean() > 0.95


def test_irnet_against_its_definition():
    image, cam, _ = scene()
    padded = [np.pad(cam, ((1, 0), (0, 0), (0, 0)), constant_values=threshold) for threshold in (0.6, 0.1)]
    fg, bg = (dense_crf(image, maps.argmax(0), IRNET_CRF, num_labels=3).argmax(0) for maps in padded)
    expected = np.where(fg > 0, np.array([0, 4, 2])[fg], np.where(bg > 0, 255, 0))
    label = affinity_label_irnet(image, cam, [3, 1], fg_threshold=0.6, bg_threshold=0.1)
    np.testing.assert_array_equal(label, expected)
    assert {0, 2, 4, 255} == set(np.unique(label))
    # 0.30 and 0.05 unless told
    np.testing.assert_array_equal(
        affinity_label_irnet(image, cam, [3, 1]), affinity_label_irnet(image, cam, [3, 1], 0.30, 0.05)
    )


def test_crf_label():
    image, cam, distance = scene()
    label = crf_label(image, cam, [7, 3], threshold=0.3)
    assert label.dtype == np.uint8 and set(np.unique(label)) == {0, 4, 8}
    # one threshold alone leaves no pixel unsure
    np.testing.assert_array_equal(label, affinity_label_irnet(image, cam, [7, 3], 0.3, 0.3))
    # the discs are taken up to their edges, where the CAM has long fallen below the threshold
    assert (cam.max(0) > 0.5)[distance.min(0) < 1].mean() < 0.7
    assert (crf_label(image, cam, [7, 3], threshold=0.5, iterations=10)[distance.min(0) < 1] > 0).mean() > 0.7
    with pytest.raises(ValueError, match=r'threshold must be in \[0, 1\]'):
        crf_label(image, cam, [7, 3], threshold=2)


def test_affinitynet_against_its_definition():
    image, cam, _ = scene()
    low, high = (
        dense_crf(image, np.concatenate([(1 - cam.max(0))[None] ** alpha, cam]), AFFINITYNET_CRF).argmax(0)
        for alpha in (2, 32)
    )
    expected = np.where(low > 0, np.array([0, 4, 2])[low], np.where(high > 0, 255, 0))
    label = affinity_label_affinitynet(image, cam, [3, 1], low_alpha=2, high_alpha=32)
    np.testing.assert_array_equal(label, expected)
    assert {0, 2, 4, 255} == set(np.unique(label))
    np.testing.assert_array_equal(
        affinity_label_affinitynet(image, cam, [3, 1]), affinity_label_affinitynet(image, cam, [3, 1], 4, 24)
    )


@pytest.mark.parametrize('function', FUNCTIONS)
@pytest.mark.parametrize('size', [(1, 1), (1, 23), (17, 1), (3, 4)])
@pytest.mark.parametrize('number', [0, 1, 20])
@pytest.mark.parametrize('fill', [0, 1, None])
def test_odd_input_gives_a_label_map(function, size, number, fill):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, size, dtype=np.uint8)
    cam = rng.random((number, *size)) if fill is None else np.full((number, *size), fill, float)
    label = function(image, cam, range(number))
    assert label.shape == size and label.dtype == np.uint8
    assert np.isin(label, [*range(number + 1), 255]).all()
    if number == 0 or fill == 0:
        assert (label == 0).all()


@pytest.mark.parametrize('function', FUNCTIONS)
def test_half_precision_and_unchanged_input(function):
    image, cam, _ = scene(24, 40)
    cam = cam.astype(np.float16)
    cam.flags.writeable = image.flags.writeable = False
    np.testing.assert_array_equal(function(image, cam, [0, 1]), function(image, cam.astype(np.float32), [0, 1]))


@pytest.mark.parametrize('function', FUNCTIONS)
def test_cam_that_leaves_the_bounds_by_a_rounding_error(function):
    image, cam, _ = scene(24, 40)
    over = np.where(cam > 0.99, np.float32(1.0000002), np.where(cam == 0, np.float32(-1e-9), cam))
    np.testing.assert_array_equal(function(image, over, [0, 1]), function(image, cam.clip(0, 1), [0, 1]))


@pytest.mark.parametrize('function', FUNCTIONS)
def test_crf_options_arrive(function, monkeypatch):
    image, cam, _ = scene(24, 40)
    none = CRFParams(gaussian_compat=0, bilateral_compat=0)
    assert (function(image, cam, [0, 1], crf=none) != function(image, cam, [0, 1])).any()
    np.testing.assert_array_equal(
        function(image, cam, [0, 1], gaussian_compat=0, bilateral_compat=0), function(image, cam, [0, 1], crf=none)
    )
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError):
        function(image, cam, [0, 1], backend='pydensecrf')
    assert function(image, cam, [0, 1], backend='torch').shape == (24, 40)


@pytest.mark.parametrize('function', FUNCTIONS)
@pytest.mark.parametrize(
    'change, message',
    [
        (dict(cam=np.zeros((1, 5, 7))), 'cam must be floats'),
        (dict(cam=np.zeros((5, 6))), 'cam must be floats'),
        (dict(cam=np.zeros((1, 5, 6), int)), 'cam must be floats'),
        (dict(cam=np.full((1, 5, 6), 1.5)), r'cam must lie in \[0, 1\]'),
        (dict(cam=np.full((1, 5, 6), np.nan)), r'cam must lie in \[0, 1\]'),
        (dict(classes=[0, 1]), 'classes must be 1 different'),
        (dict(classes=[254]), 'classes must be 1 different indices in 0 to 253'),
        (dict(classes=[-1]), 'classes must be 1 different'),
        (dict(cam=np.zeros((2, 5, 6)), classes=[1, 1]), 'classes must be 2 different'),
    ],
)
def test_wrong_arguments_raise(function, change, message):
    arguments = dict(image=np.zeros((5, 6, 3), np.uint8), cam=np.zeros((1, 5, 6)), classes=[0])
    arguments.update(change)
    with pytest.raises(ValueError, match=message) as error:
        function(**arguments)
    assert '\n' not in str(error.value)


def test_thresholds_and_powers_in_the_wrong_order_raise():
    image, cam = np.zeros((5, 6, 3), np.uint8), np.zeros((1, 5, 6))
    with pytest.raises(ValueError, match='bg_threshold <= fg_threshold'):
        affinity_label_irnet(image, cam, [0], fg_threshold=0.1, bg_threshold=0.3)
    with pytest.raises(ValueError, match='low_alpha <= high_alpha'):
        affinity_label_affinitynet(image, cam, [0], low_alpha=8, high_alpha=4)
