import os.path as osp

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmamr.models.losses.seam_loss import SEAMView, adaptive_min_pooling, max_norm, max_onehot
from mmamr.registry import MODELS


@pytest.fixture(scope='module')
def golden():
    with np.load(osp.join(osp.dirname(__file__), '../../data/seam.npz'), allow_pickle=False) as file:
        return {name: torch.from_numpy(np.asarray(file[name])) for name in file.files}


def test_golden(golden):
    x = golden['x'].clone()
    torch.testing.assert_close(
        adaptive_min_pooling(x[:, 1:]), golden['adaptive_min_pooling'].float(), rtol=1e-5, atol=1e-6
    )
    assert torch.equal(max_onehot(x), golden['max_onehot'])
    assert torch.equal(x, golden['x'])  # not changed


def test_max_norm():
    x = torch.tensor([-3.0, 0.0, 1.0, 2.0]).view(1, 1, 2, 2)
    torch.testing.assert_close(max_norm(x).flatten(), torch.tensor([0.0, 0.0, 0.5, 1.0]), atol=2e-5, rtol=0)
    assert max_norm(torch.full((1, 1, 2, 2), 5.0)).max() == 0


def released_losses(maps, refined, small_maps, small_refined, labels):
    """ER, ECR and adaptive minimum pooling step by step, the background a class that is always present."""
    present = torch.cat([torch.ones(len(labels), 1), labels], 1)[:, :, None, None]
    size = small_maps.shape[2:]

    def normalised(x, resize):
        low, high = x.relu().flatten(2).min(2).values, x.relu().flatten(2).max(2).values
        low, high = low[..., None, None], high[..., None, None]
        x = (x.relu() - low - 1e-5).relu() / (high - low + 1e-5)
        return F.interpolate(x, size, mode='bilinear', align_corners=True) if resize else x

    def minimum(x):
        largest = (x * present)[:, 1:].max(1).values.flatten(1).sort(1).values
        return largest[:, : largest.shape[1] // 4].relu().mean()

    first, second = normalised(maps, True) * present[:, 1:], normalised(small_maps, False) * present[:, 1:]
    er = (first - second).abs().mean()
    ecr = 0
    for target, source, resize in ((second, refined, True), (first, small_refined, False)):
        best = target.max(1, keepdim=True).values
        target = torch.cat([1 - best, torch.where(target == best, target, 0)], 1).detach()
        difference = (target - normalised(source, resize) * present).abs().flatten(1).sort(1, descending=True).values
        ecr = ecr + difference[:, : int(difference.shape[1] * 0.2)].mean()
    return er, ecr, (minimum(refined) + minimum(small_refined)) / 2


def views():
    torch.manual_seed(0)
    shapes = ((3, 5, 20, 17), (3, 6, 20, 17), (3, 5, 6, 5), (3, 6, 6, 5))
    tensors = [torch.randn(shape) for shape in shapes]
    tensors[1], tensors[3] = tensors[1].sigmoid(), tensors[3].sigmoid()
    return [tensor.requires_grad_() for tensor in tensors]


LABELS = torch.tensor([[1.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0]])


def test_losses_written_out():
    tensors = views()
    losses = MODELS.build(dict(type='SEAMLoss'))([SEAMView(*tensors[:2]), SEAMView(*tensors[2:])], LABELS)
    expected = released_losses(*tensors, LABELS)
    assert list(losses) == ['loss_er', 'loss_ecr', 'loss_min']
    for loss, value in zip(losses.values(), expected):
        torch.testing.assert_close(loss, value)
    for mine, theirs in zip(
        torch.autograd.grad(sum(losses.values()), tensors), torch.autograd.grad(sum(expected), tensors)
    ):
        torch.testing.assert_close(mine, theirs)
    # the gradient of ECR reaches the refined maps alone
    grads = torch.autograd.grad(
        MODELS.build(dict(type='SEAMLoss'))([SEAMView(*tensors[:2]), SEAMView(*tensors[2:])], LABELS)['loss_ecr'],
        tensors,
        allow_unused=True,
    )
    assert [grad is not None for grad in grads] == [False, True, False, True]


def test_weights_and_ratio():
    tensors = views()
    pair = [SEAMView(*tensors[:2]), SEAMView(*tensors[2:])]
    one = MODELS.build(dict(type='SEAMLoss'))(pair, LABELS)
    other = MODELS.build(dict(type='SEAMLoss', er_weight=2.0, ecr_weight=3.0, min_weight=0.5))(pair, LABELS)
    for name, factor in (('loss_er', 2.0), ('loss_ecr', 3.0), ('loss_min', 0.5)):
        torch.testing.assert_close(other[name], factor * one[name])
    all_pixels = MODELS.build(dict(type='SEAMLoss', ecr_ratio=1.0))(pair, LABELS)['loss_ecr']
    assert all_pixels < one['loss_ecr']
    with pytest.raises(ValueError, match=r'ecr_ratio must be in \(0, 1\]'):
        MODELS.build(dict(type='SEAMLoss', ecr_ratio=0.0))


def test_tiny_views():
    pair = [SEAMView(torch.randn(1, 2, 1, 1), torch.rand(1, 3, 1, 1)) for _ in range(2)]
    losses = MODELS.build(dict(type='SEAMLoss'))(pair, torch.ones(1, 2))
    assert all(loss.isfinite() for loss in losses.values())
