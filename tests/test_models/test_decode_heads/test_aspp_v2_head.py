import pytest
import torch
from mmengine.registry import DefaultScope
from torch.nn import functional as F

from mmamr.registry import MODELS

LOSS = dict(type='CrossEntropyLoss', avg_non_ignore=True)
DEFAULT_ARGS = dict(type='mmamr.ASPPV2Head', in_channels=8, in_index=1, num_classes=5, loss_decode=LOSS)


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def features(size=(9, 11)):
    torch.manual_seed(0)
    return torch.rand(2, 4, *size), torch.rand(2, 8, *size)


def test_is_the_sum_of_dilated_convolutions():
    head = MODELS.build(DEFAULT_ARGS)
    x = features()
    expected = sum(
        F.conv2d(x[1], conv.weight, conv.bias, padding=rate, dilation=rate)
        for conv, rate in zip(head.convs, (6, 12, 18, 24))
    )
    torch.testing.assert_close(head(x), expected)
    assert head(x).shape == (2, 5, 9, 11)
    assert len(list(head.parameters())) == 8  # four weights, four biases, and nothing else


def test_mmseg_finds_it_by_scope():
    from mmseg.registry import MODELS as MMSEG_MODELS

    head = MMSEG_MODELS.build(DEFAULT_ARGS)
    assert type(head).__name__ == 'ASPPV2Head'


def test_initial_weights():
    head = MODELS.build(dict(DEFAULT_ARGS, in_channels=256, dilations=(1, 2)))
    head.init_weights()
    for conv in head.convs:
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert conv.weight.mean().abs() < 1e-3
        assert (conv.bias == 0).all()


def test_dropout_only_in_training():
    head = MODELS.build(dict(DEFAULT_ARGS, dropout_ratio=0.5))
    x = features()
    head.train()
    assert not torch.equal(head(x), head(x))
    head.eval()
    torch.testing.assert_close(head(x), head(x))


def test_loss_ignores_pixels():
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    head = MODELS.build(DEFAULT_ARGS)
    half = torch.zeros(1, 9, 11, dtype=torch.long)
    half[:, :, 5:] = 255
    empty = torch.full_like(half, 255)
    x = features()
    logits = head(x)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in (half, empty)]
    losses = head.loss_by_feat(logits, samples)
    expected = F.cross_entropy(logits[:1, :, :, :5], half[:, :, :5])
    torch.testing.assert_close(losses['loss_ce'], expected)
    losses = head.loss_by_feat(logits[:1], samples[1:])
    assert losses['loss_ce'] == 0  # not NaN where a batch has no label at all


@pytest.mark.parametrize('dilations', [(), (0, 6), (-1,)])
def test_wrong_dilations(dilations):
    with pytest.raises(ValueError, match='dilations'):
        MODELS.build(dict(DEFAULT_ARGS, dilations=dilations))
