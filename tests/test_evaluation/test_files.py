"""Measuring with several processes: each adds up what it counts and sends it once."""

import multiprocessing

import numpy as np
import pytest

from mmamr.evaluation import CAMMetric, LabelMetric
from mmamr.evaluation.files import process_files
from mmamr.structures import CAM

NUM_CLASSES, NUM_IMAGES = 200, 7


def read_sample(index):
    rng = np.random.default_rng(index)
    classes = np.sort(rng.choice(NUM_CLASSES, 3, replace=False))
    mask = rng.choice([0, 255, *(classes + 1)], (8, 12)).astype(np.uint8)
    label = rng.choice([0, 255, *(classes + 1)], (8, 12)).astype(np.uint8)
    return dict(cam=CAM({'CAM': rng.random((3, 2, 3))}, classes, (8, 12)), mask=mask, label=label)


def make_metrics(sent):
    """Metrics that note each time they hand their counts over, in whichever process."""

    def noting(metric_class, **kwargs):

        class Noting(metric_class):
            def take_counts(self):
                with sent.get_lock():
                    sent.value += 1
                return super().take_counts()

        metric = Noting(**kwargs)
        metric.dataset_meta = dict(classes=[f'class {index}' for index in range(NUM_CLASSES)])
        return metric

    return [noting(CAMMetric, thresholds=(0.3, 0.6)), noting(LabelMetric)]


@pytest.mark.parametrize('num_workers', [0, 1, 3])
def test_each_worker_sends_its_counts_once(num_workers):
    sent = multiprocessing.get_context('fork').Value('q', 0)
    metrics = make_metrics(sent)
    expected = make_metrics(sent)
    for metric in expected:
        metric.process(None, [read_sample(index) for index in range(NUM_IMAGES)])
    process_files(metrics, range(NUM_IMAGES), read_sample, num_workers)
    assert sent.value == len(metrics) * max(num_workers, 1)
    for metric, other in zip(metrics, expected):
        measured = metric.evaluate(NUM_IMAGES)
        assert measured == other.evaluate(NUM_IMAGES) and metric.details == other.details
        assert all(value > 0 for value in measured.values())
