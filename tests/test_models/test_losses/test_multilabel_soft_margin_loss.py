import pytest
import torch

from mmamr.registry import MODELS


def test_equation_9_written_out():
    logits, labels = torch.randn(4, 5), (torch.rand(4, 5) < 0.4).float()
    y = logits.double().sigmoid()
    expected = -(labels * y.log() + (1 - labels) * (1 - y).log()).sum(1) / 5
    loss = MODELS.build(dict(type='MultiLabelSoftMarginLoss'))
    torch.testing.assert_close(loss(logits, labels), expected.mean().float())
    weighted = MODELS.build(dict(type='MultiLabelSoftMarginLoss', loss_weight=0.3))
    torch.testing.assert_close(weighted(logits, labels), 0.3 * expected.mean().float())


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_logits(dtype):
    loss = MODELS.build(dict(type='MultiLabelSoftMarginLoss'))
    value = loss(torch.tensor([[100.0, -100.0, 3.0]], dtype=dtype), torch.tensor([[0.0, 1.0, 1.0]]))
    assert value.dtype == torch.float32 and torch.isfinite(value)


def test_mean_over_halves_is_the_whole():
    loss = MODELS.build(dict(type='MultiLabelSoftMarginLoss'))
    logits, labels = torch.randn(6, 5), (torch.rand(6, 5) < 0.4).float()
    halves = [loss(*half) for half in zip(logits.chunk(2), labels.chunk(2))]
    torch.testing.assert_close(sum(halves) / 2, loss(logits, labels))
