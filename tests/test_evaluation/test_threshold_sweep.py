import numpy as np
import pytest

import mmamr.evaluation.threshold_sweep as threshold_sweep
from mmamr.cams import seed
from mmamr.evaluation import ThresholdSweep, scores

THRESHOLDS = tuple(n / 100 for n in range(1, 100))


def naive_confusion(prediction, target, num_classes):
    confusion = np.zeros((num_classes + 1, num_classes + 1), dtype=np.int64)
    for p, t in zip(prediction.ravel(), target.ravel()):
        if t != 255:
            confusion[t, p] += 1
    return confusion


def make_image(rng, classes, size=(13, 17), num_classes=4):
    maps = rng.random((len(classes), *size), dtype=np.float32)
    # scores that are thresholds themselves, too
    maps[rng.random(maps.shape) < 0.2] = 0.3
    target = rng.integers(0, num_classes + 1, size).astype(np.uint8)
    target[rng.random(size) < 0.1] = 255
    return maps, target


@pytest.mark.parametrize('thresholds', [THRESHOLDS, (0.3,), (0.1, 0.3, 0.9)])
def test_each_threshold_as_if_it_were_the_only_one(thresholds):
    rng = np.random.default_rng(0)
    sweep = ThresholdSweep(4, thresholds)
    expected = np.zeros((len(thresholds), 5, 5), dtype=np.int64)
    for classes in ([2], [0, 3], [], [3, 1, 0]):
        maps, target = make_image(rng, classes)
        sweep.update(maps, classes, target)
        for index, threshold in enumerate(thresholds):
            expected[index] += naive_confusion(seed(maps, classes, threshold), target, 4)
    np.testing.assert_array_equal(sweep.confusion(), expected)


def test_ignored_pixels_and_images_without_classes():
    sweep = ThresholdSweep(3, (0.5,))
    sweep.update(np.ones((1, 2, 2), dtype=np.float32), [1], np.full((2, 2), 255, dtype=np.uint8))
    assert sweep.confusion().sum() == 0
    sweep.update(np.zeros((0, 2, 2), dtype=np.float32), [], np.array([[0, 2], [3, 255]], dtype=np.uint8))
    confusion = sweep.confusion()[0]
    assert confusion[:, 0].tolist() == [1, 0, 1, 1] and confusion.sum() == 3


def test_background_maps_in_place_of_thresholds():
    """Powers of (1 - max) descend, so that their maps ascend: the labels are those of the argmax over all maps."""
    rng = np.random.default_rng(0)
    powers = (24.0, 16.0, 8.0, 4.0)
    sweep = ThresholdSweep(4, powers)
    expected = np.zeros((4, 5, 5), dtype=np.int64)
    for classes in ([2], [0, 3]):
        maps, target = make_image(rng, classes)
        background = np.stack([(1 - maps.max(0)) ** power for power in powers])
        sweep.update(maps, classes, target, background)
        for index in range(4):
            label = np.where(maps.max(0) >= background[index], np.array(classes)[maps.argmax(0)] + 1, 0)
            expected[index] += naive_confusion(label, target, 4)
    np.testing.assert_array_equal(sweep.confusion(), expected)


def test_nearest():
    sweep = ThresholdSweep(1, THRESHOLDS)
    assert sweep.nearest(0.2) == 19 and sweep.nearest(-1) == 0 and sweep.nearest(0.504) == 49
    assert ThresholdSweep(1, (24.0, 8.0, 4.0)).nearest(7) == 1


@pytest.mark.parametrize('thresholds', [(), (0.1, 0.1), (0.1, 0.3, 0.2)])
def test_thresholds_in_no_order(thresholds):
    with pytest.raises(ValueError, match='ascend'):
        ThresholdSweep(2, thresholds)


@pytest.mark.parametrize('value', [4, 254])
@pytest.mark.parametrize('classes', [[1], []], ids=['a class', 'no class'])
def test_mask_values_beyond_the_classes(value, classes):
    sweep = ThresholdSweep(3, (0.5,))
    target = np.array([[0, 3], [255, value]], dtype=np.uint8)
    with pytest.raises(ValueError, match=rf'^the mask has the value {value}; with 3 classes'):
        sweep.update(np.ones((len(classes), 2, 2), dtype=np.float32), classes, target)
    assert sweep.counts.sum() == 0


@pytest.mark.parametrize('index', [3, -1])
def test_maps_beyond_the_classes(index):
    sweep = ThresholdSweep(3, (0.5,))
    with pytest.raises(ValueError, match=rf'classes \[{index}\], but there are 3'):
        sweep.update(np.ones((1, 2, 2), dtype=np.float32), [index], np.zeros((2, 2), dtype=np.uint8))


class TestScores:
    def test_by_hand(self):
        values = scores(np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]]))
        np.testing.assert_allclose(values['iou'], [100 * 6 / 9, 100 * 3 / 6, np.nan])
        np.testing.assert_allclose(values['precision'], [100 * 6 / 7, 100 * 3 / 5, np.nan])
        np.testing.assert_allclose(values['recall'], [100 * 6 / 8, 100 * 3 / 4, np.nan])
        # a class that is nowhere does not count
        np.testing.assert_allclose(values['miou'], (100 * 6 / 9 + 100 * 3 / 6) / 2)

    def test_missed_and_made_up_classes_count_as_zero(self):
        values = scores(np.array([[5, 5, 0], [0, 0, 0], [3, 0, 0]]))
        np.testing.assert_allclose(values['iou'], [100 * 5 / 13, 0, 0])
        np.testing.assert_allclose(values['miou'], 100 * 5 / 13 / 3)

    def test_many_at_once(self):
        confusions = np.random.default_rng(0).integers(0, 9, (6, 4, 4))
        values = scores(confusions)
        for index, confusion in enumerate(confusions):
            for name, value in scores(confusion).items():
                np.testing.assert_array_equal(values[name][index], value)

    def test_nothing(self):
        assert scores(np.zeros((3, 3)))['miou'] == 0


@pytest.mark.parametrize('thresholds', [THRESHOLDS, (0.125, 0.25, 0.375), (0.1, 0.30001)])
def test_scores_beside_a_threshold(thresholds):
    """The threshold itself, and the numbers before and after it; scores outside of all thresholds, too."""
    sweep = ThresholdSweep(1, thresholds)
    edges = np.asarray(thresholds, dtype=np.float32)
    score = np.concatenate(
        [edges, np.nextafter(edges, np.float32(0)), np.nextafter(edges, np.float32(2)), np.float32([-3, 0, 1, 7])]
    )
    np.testing.assert_array_equal(sweep.reached(score), np.searchsorted(edges, score, side='right'))


def test_images_larger_than_what_is_counted_at_a_time(monkeypatch):
    """The counts do not depend on how many pixels are looked at together, or how many images wait."""
    rng = np.random.default_rng(0)
    images = [(classes, *make_image(rng, classes)) for classes in ([2], [0, 3], [], [3, 1, 0])]
    counts = []
    for block, waiting in ((1 << 15, 1 << 17), (50, 1), (7, 300)):
        monkeypatch.setattr(threshold_sweep, 'BLOCK', block)
        monkeypatch.setattr(threshold_sweep, 'WAITING', waiting)
        sweep = ThresholdSweep(4)
        for classes, maps, target in images:
            sweep.update(maps, classes, target)
        counts.append(sweep.counts)
    assert counts[0].sum() == sum((target != 255).sum() for _, _, target in images)
    np.testing.assert_array_equal(counts[0], counts[1])
    np.testing.assert_array_equal(counts[0], counts[2])


def test_the_first_of_equal_maps_wins():
    sweep = ThresholdSweep(3, (0.5,))
    sweep.update(np.ones((3, 1, 2), dtype=np.float32), [2, 0, 1], np.array([[3, 255]], dtype=np.uint8))
    assert np.argwhere(sweep.counts).tolist() == [[1, 2, 3]]
