import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

import mmamr.evaluation.label_metric as label_metric
from mmamr.registry import METRICS


def make_metric(**kwargs):
    metric = METRICS.build(dict(type='LabelMetric', **kwargs))
    metric.dataset_meta = dict(classes=('disc', 'square', 'cross'))
    return metric


def make_samples(count=4):
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(count):
        label, mask = (rng.integers(0, 4, (11, 13)).astype(np.uint8) for _ in range(2))
        label[rng.random(label.shape) < 0.2] = 255
        mask[rng.random(mask.shape) < 0.1] = 255
        samples.append(dict(label=label, mask=mask))
    return samples


def test_by_hand():
    metric = make_metric()
    label = np.array([[0, 1, 1, 2, 255, 255]], dtype=np.uint8)
    mask = np.array([[0, 1, 0, 1, 2, 255]], dtype=np.uint8)
    metric.process(None, [dict(label=label, mask=mask)])
    metrics = metric.evaluate(1)
    # of the pixels that both know: background 1 of 2, disc 1 of 3, square 0 of 1, cross nowhere
    assert metrics == pytest.approx(
        {
            'label/mIoU': 100 * (1 / 2 + 1 / 3 + 0) / 3,
            'label/FP': 100 * (1 / 3 + 1) / 2,
            'label/FN': 100 * (1 / 3 + 0) / 2,
            'label/coverage': 100 * 4 / 5,
        }
    )
    assert metric.details['classes'] == ['background', 'disc', 'square', 'cross']
    assert metric.details['rows']['label']['iou'] == [50, pytest.approx(100 / 3), 0, None]


def test_shares_of_each_class_add_up(monkeypatch):
    tables = []
    monkeypatch.setattr(MMLogger, 'info', lambda self, text: tables.append(text), raising=False)
    metric = make_metric()
    metric.process(None, make_samples())
    metric.evaluate(4)
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in tables[0].splitlines() if '|' in line][1:]
    assert [row[0] for row in rows] == ['background', 'disc', 'square', 'cross']
    for row in rows:
        assert sum(map(float, row[1:4])) == pytest.approx(100, abs=0.02)


def test_perfect_and_empty():
    metric = make_metric(prefix='pseudo')
    mask = np.array([[0, 1, 2, 3, 255]], dtype=np.uint8)
    metric.process(None, [dict(label=mask, mask=mask)])
    assert metric.evaluate(1) == {'pseudo/mIoU': 100.0, 'pseudo/FP': 0.0, 'pseudo/FN': 0.0, 'pseudo/coverage': 100.0}
    nowhere = np.full((2, 2), 255, dtype=np.uint8)
    metric.process(None, [dict(label=nowhere, mask=nowhere)])
    assert metric.evaluate(1) == {'pseudo/mIoU': 0.0, 'pseudo/FP': 0.0, 'pseudo/FN': 0.0, 'pseudo/coverage': 0.0}


def test_no_images_and_forgetting():
    metric = make_metric()
    assert metric.evaluate(0)['label/mIoU'] == 0
    metric.process(None, make_samples())
    first = metric.evaluate(4)
    metric.process(None, make_samples())
    assert metric.evaluate(4) == first


@pytest.mark.parametrize('first', [0, 1, 4])
def test_processes_are_summed(monkeypatch, first):
    samples = make_samples()
    alone, others, me = make_metric(), make_metric(), make_metric()
    alone.process(None, samples)
    expected = alone.evaluate(4)
    others.process(None, samples[:first])
    me.process(None, samples[first:])
    counts = others._empty() if others.counts is None else others.counts
    monkeypatch.setattr(label_metric, 'all_reduce', lambda mine: mine.add_(torch.from_numpy(counts)))
    assert me.evaluate(4) == expected


@pytest.mark.parametrize('name', ['label', 'mask'])
@pytest.mark.parametrize('value', [4, 254])
def test_values_beyond_the_classes(name, value):
    metric = make_metric()
    sample = {key: np.array([[0, 1, 3, 255]], dtype=np.uint8) for key in ('label', 'mask')}
    metric.process(None, [sample])
    sample[name] = np.array([[0, 1, value, 255]], dtype=np.uint8)
    with pytest.raises(ValueError, match=rf'^the {name} has the value {value}; with 3 classes'):
        metric.process(None, [sample])
    assert metric.evaluate(1)['label/mIoU'] == 100
