"""A segmentation model whose pixels heed what a classifier says of the whole photo."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmamr.apis.export import ExportedSegmentor
from mmamr.registry import MODELS
from mmamr.utils import SettingError

BACKBONE = dict(type='mmseg.ResNet', depth=18, base_channels=4, stem_channels=4, norm_eval=True)
DEFAULT_ARGS = dict(
    type='mmamr.TagGatedSegmentor',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True),
    backbone=BACKBONE,
    decode_head=dict(type='mmamr.ASPPV2Head', in_channels=32, in_index=3, num_classes=3, dilations=(1, 2)),
    tagger=dict(
        type='mmamr.CAMBranch',
        backbone=dict(**BACKBONE, out_indices=(3,)),
        head=dict(type='mmamr.CAMHead', num_classes=2, in_channels=32),
    ),
    test_cfg=ConfigDict(mode='whole'),
)


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


@pytest.fixture
def images():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build({**DEFAULT_ARGS, **changes}).eval()


def share(model, images, label):
    """Probability that the classifier gives a class, beside that of the most probable one, ``(N, )``."""
    probabilities = model.tagger(images).mean((2, 3)).sigmoid()
    return probabilities[:, label] / probabilities.amax(1)


@torch.no_grad()
def test_the_odds_of_a_class_are_multiplied_by_what_the_classifier_says(images):
    metas = [dict(img_shape=(64, 64))] * 2
    gated, plain = build(), build(weight=0.0)
    before, after = (model.encode_decode(images, metas).exp() for model in (plain, gated))
    torch.testing.assert_close(after[:, 0], before[:, 0])
    for label in range(2):
        factor = share(gated, images, label)[:, None, None]
        torch.testing.assert_close(after[:, label + 1], before[:, label + 1] * factor)
    # the most probable class of each image stays, however sure of it the classifier is
    best = gated.tagger(images).mean((2, 3)).argmax(1)
    for image in range(2):
        torch.testing.assert_close(after[image, best[image] + 1], before[image, best[image] + 1])
    torch.testing.assert_close(
        build(weight=2.0).encode_decode(images, metas).exp()[:, 1], after[:, 1] ** 2 / before[:, 1]
    )


@torch.no_grad()
def test_a_photo_does_not_depend_on_its_batch(images):
    model, metas = build(), [dict(img_shape=(64, 64))] * 2
    both = model.encode_decode(images, metas)
    torch.testing.assert_close(both[:1], model.encode_decode(images[:1], metas), atol=1e-5, rtol=1e-4)


def test_training_leaves_the_classifier_alone(images):
    model = build().train()
    assert not any(module.training for module in model.tagger.modules())
    label = torch.randint(0, 3, (1, 64, 64), generator=torch.Generator().manual_seed(1))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label)) for _ in range(2)]
    losses = model.loss(images, samples)
    expected = build(weight=0.0).train().loss(images, samples)
    torch.testing.assert_close(losses, expected)
    model.parse_losses(losses)[0].backward()
    assert all(one.grad is None and not one.requires_grad for one in model.tagger.parameters())


@torch.no_grad()
def test_what_is_exported_is_gated(images):
    pixels = (255 * images).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    scores = [ExportedSegmentor(build(weight=weight))(pixels)[0].numpy() for weight in (0.0, 1.0)]
    normalized = (pixels.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    factor = share(build(), normalized, 0).numpy()
    ratio = (scores[1][:, 1] / scores[1][:, 0]) / (scores[0][:, 1] / scores[0][:, 0])
    np.testing.assert_allclose(ratio, np.broadcast_to(factor[:, None, None], ratio.shape), rtol=1e-3)


@pytest.mark.parametrize(
    'changes, line',
    [
        (
            dict(test_cfg=ConfigDict(mode='slide', crop_size=(32, 32), stride=(16, 16))),
            "set model.test_cfg.mode='whole'",
        ),
        (dict(decode_head=dict(DEFAULT_ARGS['decode_head'], num_classes=5)), '5 channels, its tagger 2 classes'),
        (dict(weight=-1), 'weight'),
    ],
)
def test_refused(changes, line):
    with pytest.raises(SettingError, match=line):
        build(**changes)
