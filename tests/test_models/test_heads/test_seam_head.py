import os.path as osp

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmamr.models.heads import seam_head
from mmamr.models.heads.seam_head import PixelCorrelationModule, background_and_best
from mmamr.registry import MODELS

DEFAULT_ARGS = dict(type='SEAMHead', num_classes=4, in_channels=(6, 8, 10), channels=(3, 5))


@pytest.fixture(scope='module')
def golden():
    with np.load(osp.join(osp.dirname(__file__), '../../data/seam.npz'), allow_pickle=False) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.mark.parametrize('similarities', [2**25, 2 * 99 * 7, 1])
def test_pixel_correlation_matches_golden(golden, monkeypatch, similarities):
    """However many pixels are taken at a time."""
    monkeypatch.setattr(seam_head, 'MAX_SIMILARITIES', similarities)
    pcm = PixelCorrelationModule(195, 192)
    pcm.embed.weight.data.copy_(golden['f9'])
    out = pcm(golden['cam'], golden['feature'])
    torch.testing.assert_close(out, golden['pcm'], rtol=1e-5, atol=1e-6)


def test_background_and_best():
    maps = torch.tensor([[-1.0, 2.0, 0.0, 4.0], [3.0, 1.0, 0.0, 1.5], [-1.0, -2.0, -3.0, -4.0]]).view(1, 3, 2, 2)
    out = background_and_best(maps)
    expected = torch.tensor(
        [[0.0, 0.5, 1.0, 0.0], [0.0, 0.5, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    ).view(1, 4, 2, 2)
    torch.testing.assert_close(out, expected, atol=2e-5, rtol=0)
    assert not background_and_best(maps.requires_grad_()).requires_grad


def features(requires_grad=False):
    torch.manual_seed(0)
    shapes = ((2, 6, 12, 10), (2, 8, 6, 5), (2, 10, 6, 5))
    return [torch.randn(shape).requires_grad_(requires_grad) for shape in shapes]


def test_levels_are_resized_to_the_last_and_get_no_gradient():
    head = MODELS.build(DEFAULT_ARGS).eval()
    feats, inputs = features(requires_grad=True), torch.randn(2, 3, 48, 40)
    maps = head(feats)
    assert maps.shape == (2, 4, 6, 5)
    refined = head.refine(maps, feats, inputs)
    assert refined.shape == (2, 5, 6, 5) and refined.min() >= 0 and refined.max() <= 1 + 1e-5
    embedded = torch.cat(
        [
            F.interpolate(inputs, (6, 5), mode='bilinear', align_corners=True),
            F.interpolate(head.levels[0](feats[0]).relu(), (6, 5), mode='bilinear', align_corners=True),
            head.levels[1](feats[1]).relu(),
        ],
        1,
    )
    torch.testing.assert_close(refined, head.pcm(background_and_best(maps), embedded))
    refined[:, 1].sum().backward()
    assert all(one.grad is None for one in feats) and head.conv.weight.grad is None
    assert head.pcm.embed.weight.grad.abs().sum() > 0 and head.levels[0].weight.grad.abs().sum() > 0


def test_dropout_is_of_the_last_level_in_training():
    head, feats = MODELS.build({**DEFAULT_ARGS, 'dropout': 0.5}), features()
    torch.testing.assert_close(head.eval()(feats), head.conv(feats[-1]))
    assert not torch.equal(head.train()(feats), head(feats))
    assert torch.equal(head.eval()(feats[-1]), head(feats))


def test_constant_images_and_empty_maps():
    head = MODELS.build(DEFAULT_ARGS).eval()
    for maps in (torch.zeros(1, 4, 1, 1), -torch.ones(1, 4, 2, 3)):
        feats = [torch.zeros(1, c, *maps.shape[2:]) for c in (6, 8, 10)]
        refined = head.refine(maps, feats, torch.zeros(1, 3, 16, 16))
        assert refined.isfinite().all() and refined[:, 1:].max() == 0


def test_weights_are_initialized_as_released():
    head = MODELS.build({**DEFAULT_ARGS, 'in_channels': (60, 80, 100), 'channels': (30, 50)})
    torch.nn.init.zeros_(head.conv.weight)
    head.init_weights()
    bound = (6 / (83 + 80)) ** 0.5 * 4
    assert 0.9 * bound < head.pcm.embed.weight.abs().max() <= bound
    assert 0 < head.conv.weight.abs().max() <= (6 / 104) ** 0.5
    assert head.levels[0].weight.detach().std() == pytest.approx((2 / 60) ** 0.5, rel=0.1)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='one entry a level below the last'):
        MODELS.build({**DEFAULT_ARGS, 'channels': (3, 5, 7)})
