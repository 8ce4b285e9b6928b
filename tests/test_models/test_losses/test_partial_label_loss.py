import pytest
import torch
from torch.nn import functional as F

from mmamr.registry import MODELS
from mmamr.utils import SettingError

DEFAULT_ARGS = dict(type='PartialLabelLoss')


def sample():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 3, 5, generator=generator)
    candidates = torch.tensor([[True, False, True, False], [True, False, False, False]])
    return logits, candidates, torch.rand(2, 3, 5, generator=generator) > 0.4


def test_the_sum_of_the_candidates():
    logits, candidates, where = sample()
    loss = MODELS.build(DEFAULT_ARGS)(logits, candidates, where)
    probabilities = logits.softmax(1)
    pixels = [-torch.log(probabilities[n, candidates[n], y, x].sum()) for n, y, x in where.nonzero().tolist()]
    torch.testing.assert_close(loss, torch.stack(pixels).mean())
    torch.testing.assert_close(MODELS.build(dict(DEFAULT_ARGS, loss_weight=0.5))(logits, candidates, where), loss / 2)


def test_one_candidate_is_cross_entropy_and_all_cost_nothing():
    logits, _, where = sample()
    loss = MODELS.build(DEFAULT_ARGS)
    background = torch.zeros(2, 4, dtype=torch.bool)
    background[:, 0] = True
    labels = torch.where(where, 0, 255)
    torch.testing.assert_close(loss(logits, background, where), F.cross_entropy(logits, labels, ignore_index=255))
    assert loss(logits, torch.ones(2, 4, dtype=torch.bool), where).abs() < 1e-6


def test_gradients_are_finite_and_only_where_it_counts():
    logits, candidates, where = sample()
    logits = (100 * logits).requires_grad_()
    loss = MODELS.build(DEFAULT_ARGS)
    loss(logits, candidates, where).backward()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad.permute(0, 2, 3, 1)[~where] == 0).all()
    nothing = loss(logits, candidates, torch.zeros_like(where))
    nothing.backward()
    assert nothing == 0
    assert torch.isfinite(logits.grad).all()


def test_refuses_a_negative_weight():
    with pytest.raises(SettingError, match='loss_weight'):
        MODELS.build(dict(DEFAULT_ARGS, loss_weight=-1))
