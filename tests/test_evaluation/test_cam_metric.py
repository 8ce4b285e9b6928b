import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

import mmamr.evaluation.cam_metric as cam_metric
from mmamr.cams import mix, seed, upsample
from mmamr.evaluation import CAMMetric, ThresholdSweep, scores
from mmamr.registry import METRICS
from mmamr.structures import CAM

CLASSES = ('disc', 'square', 'cross')


def make_samples(count=5, branches=('spotlight', 'compensation'), **kwargs):
    rng = np.random.default_rng(0)
    samples = []
    for index in range(count):
        size = (12 + index, 20)
        classes = np.flatnonzero(rng.random(3) < 0.5)
        shape = (len(classes), -(-size[0] // 4), 5)
        mask = rng.integers(0, 4, size).astype(np.uint8)
        mask[0] = 255
        samples.append(
            dict(cam=CAM({name: rng.random(shape).astype(np.float16) for name in branches}, classes, size), mask=mask)
        )
    return samples


def make_metric(**kwargs):
    metric = METRICS.build(dict(type='CAMMetric', **kwargs))
    metric.dataset_meta = dict(classes=CLASSES)
    return metric


def naive_miou(samples, xi, threshold):
    confusion = np.zeros((4, 4), dtype=np.int64)
    for sample in samples:
        maps = mix(sample['cam'], xi)
        label = seed(upsample(maps, sample['mask'].shape), sample['cam'].classes, threshold)
        known = sample['mask'] != 255
        np.add.at(confusion, (sample['mask'][known], label[known]), 1)
    return float(scores(confusion)['miou'])


def test_rows_and_numbers():
    samples = make_samples()
    metric = make_metric(xis=(0.3, 0.5))
    for sample in samples:
        metric.process(None, [sample])
    metrics = metric.evaluate(len(samples))
    rows = {'spotlight': 1.0, 'compensation': 0.0, 'weighted(xi=0.3)': 0.3, 'weighted': 0.5}
    assert set(metrics) == {f'CAM/{row}.{what}' for row in rows for what in ('mIoU', 'best_mIoU', 'best_threshold')}
    for row, xi in rows.items():
        assert metrics[f'CAM/{row}.mIoU'] == pytest.approx(naive_miou(samples, xi, 0.2))
        sweep = {n / 100: naive_miou(samples, xi, n / 100) for n in range(1, 100)}
        assert metrics[f'CAM/{row}.best_mIoU'] == pytest.approx(max(sweep.values()))
        assert sweep[round(metrics[f'CAM/{row}.best_threshold'], 2)] == pytest.approx(max(sweep.values()))
        details = metric.details['rows'][row]
        assert max(details['miou']) == metrics[f'CAM/{row}.best_mIoU'] == pytest.approx(np.mean(details['iou']))
        assert details['threshold'] == pytest.approx(0.2) and len(details['thresholds']) == 99
    assert metric.details['classes'] == ['background', *CLASSES]


def test_a_class_that_is_nowhere_has_no_iou():
    samples = [dict(cam=CAM({'CAM': np.ones((1, 3, 5))}, np.array([0]), (12, 20)), mask=np.ones((12, 20), np.uint8))]
    metric = make_metric()
    metric.process(None, samples)
    metric.evaluate(1)
    assert metric.details['rows']['CAM']['iou'] == [None, 100, None, None]


def test_one_branch_has_a_row_of_its_name():
    metric = make_metric(threshold=0.5, prefix='walk')
    samples = make_samples(branches=('walk',))
    metric.process(None, samples)
    metrics = metric.evaluate(len(samples))
    assert metrics['walk/walk.mIoU'] == pytest.approx(naive_miou(samples, 1.0, 0.5))
    assert not any('weighted' in name for name in metrics)


def test_background_maps_are_swept_where_there_are_any():
    samples = make_samples(branches=('walk',))
    powers = np.array([8.0, 4.0, 2.0], dtype=np.float32)
    for sample in samples:
        maps = sample['cam'].maps['walk'].astype(np.float32)
        strongest = maps.max(0) if len(maps) else np.zeros(maps.shape[1:], dtype=np.float32)
        sample['cam'].background = np.stack([(1 - strongest) ** power for power in powers])
        sample['cam'].powers = powers
    metric = make_metric(threshold=4)
    metric.process(None, samples)
    metrics = metric.evaluate(len(samples))
    assert metrics['CAM/walk.best_threshold'] in powers
    assert 0 < metrics['CAM/walk.mIoU'] <= metrics['CAM/walk.best_mIoU']


def test_evaluating_forgets():
    samples = make_samples()
    metric = make_metric()
    metric.process(None, samples)
    first = metric.evaluate(5)
    metric.process(None, samples)
    assert metric.evaluate(5) == first


@pytest.mark.parametrize('split', [(2, 5), (0, 5)], ids=['both have some', 'one has none'])
def test_processes_are_summed(monkeypatch, split):
    """The counts of two processes, one of which may have had no image, give the metrics of one process."""
    samples = make_samples()
    alone = make_metric()
    alone.process(None, samples)
    expected = alone.evaluate(5)

    others, me = make_metric(), make_metric()
    others.process(None, samples[: split[0]])
    me.process(None, samples[split[0] :])
    rows = [{name: sweep.thresholds.tolist() for name, sweep in metric.sweeps.items()} for metric in (others, me)]
    counts = iter([others.sweeps[name].counts for name in rows[0]] or [np.int64(0)] * 3)
    monkeypatch.setattr(cam_metric, 'all_gather_object', lambda mine: rows)
    monkeypatch.setattr(cam_metric, 'all_reduce', lambda mine: mine.add_(torch.as_tensor(next(counts))))
    assert me.evaluate(5) == expected


def test_tables_of_the_log(monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger, 'info', lambda self, text: lines.append(text), raising=False)
    metric = make_metric()
    metric.process(None, make_samples())
    metric.evaluate(5)
    text = '\n'.join(lines)
    for word in ('background', *CLASSES, 'precision', 'recall', 'IoU', 'best threshold', 'spotlight', 'weighted'):
        assert word in text


def test_sweep_has_at_least_fifty_thresholds():
    assert len(CAMMetric().thresholds) >= 50


def test_log_has_each_class_at_the_fixed_and_at_the_best_threshold(monkeypatch):
    lines = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'info', lines.append)
    samples = make_samples(branches=('spotlight',))
    metric = make_metric(threshold=0.9, thresholds=(0.1, 0.9))
    metric.process(None, samples)
    sweep = metric.sweeps['spotlight']
    values = scores(sweep.confusion())
    metric.evaluate(len(samples))
    best = int(values['miou'].argmax())
    table = next(line for line in lines if 'fixed threshold' in line)
    for index, name in enumerate(('background', *CLASSES)):
        row = next(line for line in table.splitlines() if f' {name} ' in line)
        expected = [values[key][at][index] for at in (1, best) for key in ('iou', 'precision', 'recall')]
        assert [float(cell) for cell in row.split('|')[2:-1]] == pytest.approx(expected, abs=0.0051, nan_ok=True)


@pytest.mark.parametrize('at_once', [1, 1 << 17], ids=['row by row', 'all rows'])
def test_rows_together_or_apart(monkeypatch, at_once):
    """Every row has the counts that it has alone."""
    monkeypatch.setattr(cam_metric, 'AT_ONCE', at_once)
    samples = make_samples()
    metric = make_metric(xis=(0.1, 0.5, 0.9))
    metric.process(None, samples)
    for row, xi in metric.rows(samples[0]['cam'].maps).items():
        alone = ThresholdSweep(3)
        for sample in samples:
            cam, mask = sample['cam'], sample['mask']
            alone.update(upsample(mix(cam, xi), mask.shape), cam.classes, mask)
        np.testing.assert_array_equal(metric.sweeps[row].counts, alone.counts)
