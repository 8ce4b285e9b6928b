import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.nn import functional as F

from mmamr.registry import MODELS

NORM = dict(type='BN', requires_grad=True)
DEFAULT_ARGS = dict(
    type='mmamr.MultiScaleInputSegmentor',
    backbone=dict(type='mmseg.ResNet', depth=18, base_channels=4, stem_channels=4, norm_cfg=NORM, norm_eval=True),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=32,
        in_index=3,
        num_classes=3,
        dilations=(1, 2),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    test_cfg=ConfigDict(mode='whole'),
)


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def batch(size=(65, 65)):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (2, 1, *size), generator=generator)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]
    return torch.rand(2, 3, *size, generator=generator), samples, labels[:, 0]


def upsampled_loss(logits, labels):
    return F.cross_entropy(F.interpolate(logits, labels.shape[-2:], mode='bilinear', align_corners=False), labels)


def test_losses_of_each_scale_and_of_their_maximum():
    model = MODELS.build(DEFAULT_ARGS).eval()
    inputs, samples, labels = batch()
    losses = model.loss(inputs, samples)
    assert {name for name in losses if 'loss' in name} == {
        'decode_1.loss_ce',
        'decode_0.75.loss_ce',
        'decode_0.5.loss_ce',
        'decode_max.loss_ce',
    }
    logits = [
        model.decode_head(model.extract_feat(F.interpolate(inputs, scale_factor=scale, mode='bilinear')))
        for scale in (1.0, 0.75, 0.5)
    ]
    for scale, x in zip(('1', '0.75', '0.5'), logits):
        torch.testing.assert_close(losses[f'decode_{scale}.loss_ce'], upsampled_loss(x, labels))
    same_size = [F.interpolate(x, logits[0].shape[-2:], mode='bilinear') for x in logits]
    torch.testing.assert_close(losses['decode_max.loss_ce'], upsampled_loss(torch.stack(same_size).amax(0), labels))
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_any_head_and_auxiliary_head_will_do():
    model = MODELS.build(
        dict(
            DEFAULT_ARGS,
            train_scales=(1.0, 1.5),
            decode_head=dict(
                type='FCNHead', in_channels=32, in_index=3, channels=8, num_convs=1, num_classes=3, norm_cfg=NORM
            ),
            auxiliary_head=dict(
                type='FCNHead', in_channels=16, in_index=2, channels=8, num_convs=1, num_classes=3, norm_cfg=NORM
            ),
        )
    )
    losses = model.loss(*batch()[:2])
    assert {name for name in losses if 'loss' in name} == {
        'decode_1.loss_ce',
        'decode_1.5.loss_ce',
        'decode_max.loss_ce',
        'aux.loss_ce',
    }


def test_predicts_like_its_parent():
    model = MODELS.build(DEFAULT_ARGS).eval()
    parent = MODELS.build(dict(DEFAULT_ARGS, type='mmseg.EncoderDecoder')).eval()
    parent.load_state_dict(model.state_dict())
    inputs = batch()[0]
    with torch.no_grad():
        ours, theirs = model.predict(inputs), parent.predict(inputs)
    torch.testing.assert_close(ours[1].seg_logits.data, theirs[1].seg_logits.data)


@pytest.mark.parametrize('scales', [(1.0,), (1.0, 0.0), ()])
def test_wrong_scales(scales):
    with pytest.raises(ValueError, match='train_scales'):
        MODELS.build(dict(DEFAULT_ARGS, train_scales=scales))
