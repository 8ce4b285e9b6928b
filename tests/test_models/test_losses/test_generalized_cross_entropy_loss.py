import pytest
import torch
from torch.nn import functional as F

from mmamr.registry import MODELS
from mmamr.utils import SettingError

DEFAULT_ARGS = dict(type='GeneralizedCrossEntropyLoss')


def sample():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator)
    label = torch.randint(0, 4, (2, 5, 6), generator=generator)
    label[0, :2] = 255
    return logits, label


@pytest.mark.parametrize('q', [0.0, 0.3, 0.7, 1.0])
def test_the_formula(q):
    logits, label = sample()
    loss = MODELS.build(dict(DEFAULT_ARGS, q=q, background_weight=0.5))(logits, label)
    probabilities = logits.softmax(1)
    total = weights = 0.0
    for n, y, x in (label != 255).nonzero().tolist():
        p = probabilities[n, label[n, y, x], y, x]
        weight = 0.5 if label[n, y, x] == 0 else 1.0
        total += weight * (-p.log() if q == 0 else (1 - p**q) / q)
        weights += weight
    torch.testing.assert_close(loss, total / weights)


def test_without_q_it_is_cross_entropy_with_class_weights():
    logits, label = sample()
    weight = torch.tensor([0.25, 1, 1, 1])
    loss = MODELS.build(dict(DEFAULT_ARGS, q=0, background_weight=0.25, loss_weight=2.0))(logits, label)
    torch.testing.assert_close(loss, 2 * F.cross_entropy(logits, label, weight, ignore_index=255))


def test_a_label_that_the_model_finds_improbable_pulls_less():
    logits = torch.tensor([[[[4.0]], [[0.0]]]], requires_grad=True)
    pulls = {}
    for q in (0.0, 0.7):
        for label in (0, 1):
            (gradient,) = torch.autograd.grad(
                MODELS.build(dict(DEFAULT_ARGS, q=q))(logits, torch.full((1, 1, 1), label)), logits
            )
            pulls[q, label] = gradient.abs().max()
    assert pulls[0.7, 1] < 0.1 * pulls[0.0, 1]
    assert pulls[0.7, 0] > 0.9 * pulls[0.0, 0]


def test_pixels_have_weights_and_there_may_be_none():
    logits, label = sample()
    loss = MODELS.build(DEFAULT_ARGS)
    weight = (torch.arange(label.numel()).view_as(label) % 3 == 0).float()
    torch.testing.assert_close(loss(logits, label, weight), loss(logits, torch.where(weight > 0, label, 255)))
    logits.requires_grad_()
    nothing = loss(logits, torch.full_like(label, 255))
    nothing.backward()
    assert nothing == 0 and torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize('setting', [dict(q=1.5), dict(q=-0.1), dict(background_weight=0), dict(loss_weight=-1)])
def test_settings_out_of_range(setting):
    with pytest.raises(SettingError):
        MODELS.build(dict(DEFAULT_ARGS, **setting))
