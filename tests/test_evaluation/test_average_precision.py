import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.evaluation import AveragePrecision as AveragePrecisionOverAll
from mmpretrain.structures import DataSample

from mmamr.evaluation import AveragePrecision
from mmamr.registry import METRICS

SCORES = torch.tensor([[0.9, 0.2, 0.3], [0.1, 0.8, 0.4], [0.8, 0.7, 0.1]])
ABSENT = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 1, 0]])


def measure(targets, **kwargs):
    metric = METRICS.build(dict(type='AveragePrecision', **kwargs))
    assert type(metric) is AveragePrecision
    evaluator = Evaluator(metric)
    evaluator.process(
        [DataSample().set_pred_score(one).set_gt_score(truth) for one, truth in zip(SCORES, torch.as_tensor(targets))]
    )
    return evaluator.evaluate(len(SCORES))


def test_a_class_that_never_occurs_does_not_count():
    assert measure(ABSENT) == {'multi-label/mAP': 100}
    assert AveragePrecision.calculate(SCORES.numpy(), ABSENT.numpy()) == 100
    # what is cured
    assert AveragePrecisionOverAll.calculate(SCORES, ABSENT) == pytest.approx(200 / 3)


def test_the_same_where_all_occur():
    targets = torch.tensor([[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    expected = AveragePrecisionOverAll.calculate(SCORES, targets)
    assert measure(targets, prefix='val') == {'val/mAP': pytest.approx(float(expected))}
    each = np.asarray(measure(targets, average=None)['multi-label/AP_classwise'])
    np.testing.assert_allclose(each, AveragePrecisionOverAll.calculate(SCORES, targets, None))


def test_each_class_and_no_class_at_all():
    assert measure(ABSENT, average=None) == {'multi-label/AP_classwise': [100, 100, 0]}
    assert measure(np.zeros((3, 3))) == {'multi-label/mAP': 0}
