import csv

import numpy as np
import pytest

from mmamr.evaluation.doubt_metric import kept_part
from mmamr.registry import METRICS
from mmamr.structures import CAM
from mmamr.utils import SettingError

DEFAULT_ARGS = dict(type='DoubtMetric', shares=(1.0, 0.5))


def sample(seed, second=False):
    random = np.random.default_rng(seed)
    size = (24, 32)
    maps = random.random((1, *size))
    label = np.where(maps[0] > 0.5, 2, 0).astype(np.uint8)
    wrong = random.random(size) < 1 - 2 * np.abs(maps[0] - 0.5)  # the nearer to the threshold, the more
    mask = np.where(wrong, 2 - label, label).astype(np.uint8)
    mask[0] = 255
    made = dict(cam=CAM(dict(walk=maps), [1], size), label=label, mask=mask)
    if second:
        made['second'] = CAM(dict(walk=random.random((1, *size))), [1], size)
    return made


def test_precision_of_the_surest_half(tmp_path):
    metric = METRICS.build(dict(DEFAULT_ARGS, out=str(tmp_path / 'curve.csv')))
    samples = [sample(0), sample(1)]
    metric.process(None, samples)
    metrics = metric.evaluate(2)
    scores = np.concatenate([one['cam'].maps['walk'][0, 1:].ravel() for one in samples])
    label, mask = (np.concatenate([one[name][1:].ravel() for one in samples]) for name in ('label', 'mask'))
    for part, pixels, order in (('background', label == 0, scores), ('objects', label > 0, -scores)):
        right = (label == mask)[pixels][np.argsort(order[pixels])]
        assert metrics[f'doubt/first.{part}.100'] == pytest.approx(100 * right.mean())
        assert metrics[f'doubt/first.{part}.50'] == pytest.approx(100 * right[: len(right) // 2].mean(), abs=1)
        assert metrics[f'doubt/first.{part}.50'] > metrics[f'doubt/first.{part}.100'] + 10
    with open(tmp_path / 'curve.csv') as file:
        rows = list(csv.DictReader(file))
    assert [(row['scores'], row['part']) for row in rows] == [('first', 'background')] * 2 + [('first', 'objects')] * 2
    assert rows[0]['kept'] == '100.0' and rows[0]['caught'] == '0.0'
    assert 49.9 <= float(rows[1]['kept']) < 52 and float(rows[1]['caught']) > 60


def test_two_sources_and_two_processes():
    one, other = METRICS.build(DEFAULT_ARGS), METRICS.build(DEFAULT_ARGS)
    together = METRICS.build(DEFAULT_ARGS)
    one.process(None, [sample(0, True)])
    other.process(None, [sample(1, True)])
    together.process(None, [sample(0, True), sample(1, True)])
    one.add_counts(other.take_counts())
    assert not other.counts
    metrics = one.evaluate(2)
    assert metrics == together.evaluate(2)
    assert {name.split('/')[1].split('.')[0] for name in metrics} == {'first', 'second', 'mean'}
    # scores that know nothing catch nothing
    assert metrics['doubt/second.background.50'] == pytest.approx(metrics['doubt/second.background.100'], abs=5)
    assert (
        metrics['doubt/first.background.50']
        > metrics['doubt/mean.background.50']
        > metrics['doubt/second.background.50']
    )


def test_bins_are_kept_whole():
    assert kept_part(np.array([0, 1, 3]), np.array([5, 1, 0]), 0.6) == pytest.approx((0.7, 6 / 7, 0.75))
    assert kept_part(np.array([0, 0]), np.array([2, 2]), 1) == (1, 1, 0)


def test_refuses_a_share_above_one():
    with pytest.raises(SettingError, match='shares'):
        METRICS.build(dict(DEFAULT_ARGS, shares=(2,)))
