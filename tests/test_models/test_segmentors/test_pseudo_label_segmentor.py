import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.nn import functional as F

from mmamr.registry import MODELS
from mmamr.utils import InputError

NORM = dict(type='BN', requires_grad=True)
DEFAULT_ARGS = dict(
    type='mmamr.PseudoLabelSegmentor',
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


def batch(size=(65, 65), tags=((1,), ())):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (2, 1, *size), generator=generator)
    labels[:, :, :20] = 255
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels]
    for sample, own in zip(samples, tags):
        sample.set_metainfo(dict(tags=list(own)))
    return torch.rand(2, 3, *size, generator=generator), samples, labels[:, 0]


def test_labelled_pixels_as_in_mmseg_and_open_ones_by_tags():
    torch.manual_seed(0)
    model = MODELS.build(DEFAULT_ARGS).eval()
    inputs, samples, labels = batch()
    losses = model.loss(inputs, samples)
    logits = model.decode_head(model.extract_feat(inputs))
    logits = F.interpolate(logits, labels.shape[-2:], mode='bilinear', align_corners=False)
    torch.testing.assert_close(losses['decode.loss_ce'], F.cross_entropy(logits, labels, ignore_index=255))
    probabilities = logits.softmax(1)[:, :, :20]
    pixels = torch.stack([probabilities[0, [0, 2]].sum(0), probabilities[1, 0]])
    torch.testing.assert_close(losses['decode.loss_open'], -pixels.log().mean())
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_padding_is_not_open():
    torch.manual_seed(0)
    model = MODELS.build(DEFAULT_ARGS).eval()
    inputs, samples, labels = batch()
    whole = model.loss(inputs, samples)['decode.loss_open']
    for sample in samples:
        sample.gt_sem_seg.data[:, :, 40:] = 255
        sample.set_metainfo(dict(padding_size=(0, 25, 0, 0)))
    logits = F.interpolate(
        model.decode_head(model.extract_feat(inputs)), labels.shape[-2:], mode='bilinear', align_corners=False
    )
    probabilities = logits.softmax(1)[:, :, :20, :40]
    pixels = torch.stack([probabilities[0, [0, 2]].sum(0), probabilities[1, 0]])
    padded = model.loss(inputs, samples)['decode.loss_open']
    torch.testing.assert_close(padded, -pixels.log().mean())
    assert not torch.isclose(padded, whole)


def test_an_option_chooses_the_loss_and_a_photo_without_tags_is_named():
    torch.manual_seed(0)
    inputs, samples, _ = batch()
    model = MODELS.build(DEFAULT_ARGS).eval()
    loss = model.loss(inputs, samples)['decode.loss_open']
    half = MODELS.build(dict(DEFAULT_ARGS, loss_open=dict(type='mmamr.PartialLabelLoss', loss_weight=0.5))).eval()
    half.load_state_dict(model.state_dict())
    torch.testing.assert_close(half.loss(inputs, samples)['decode.loss_open'], loss / 2)
    samples = [SegDataSample(gt_sem_seg=sample.gt_sem_seg) for sample in samples]
    with pytest.raises(InputError, match="'tags'"):
        model.loss(inputs, samples)
