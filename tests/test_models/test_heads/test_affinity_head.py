import pytest
import torch

from mmamr.registry import MODELS

DEFAULT_ARGS = dict(type='AffinityHead', in_channels=(8, 12, 16), channels=(4, 6, 8))


def features(*sizes):
    return [torch.randn(2, channels, *size) for channels, size in zip((8, 12, 16), sizes)]


@pytest.mark.parametrize('sizes', [((9, 7), (9, 7), (9, 7)), ((9, 7), (5, 4), (3, 2)), ((1, 1), (1, 1), (1, 1))])
def test_feature_has_the_first_level_size(sizes):
    out = MODELS.build(DEFAULT_ARGS)(features(*sizes))
    assert out.shape == (2, 18, *sizes[0])
    assert out.min() > -1  # ELU


def test_channels_of_affinitynet():
    head = MODELS.build(dict(type='AffinityHead', in_channels=(512, 1024, 4096)))
    assert [conv.out_channels for conv in head.levels] == [64, 128, 256]
    assert head.fuse.weight.shape == (448, 448, 1, 1)


def test_initialisation():
    head = MODELS.build(dict(type='AffinityHead', in_channels=(512, 1024, 2048)))
    head.init_weights()
    assert head.levels[0].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.05)
    # Uniform on ±4 sqrt(6 / (448 + 448)).
    bound = 4 * (6 / 896) ** 0.5
    assert head.fuse.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    own = MODELS.build(dict(DEFAULT_ARGS, init_cfg=dict(type='Constant', layer='Conv2d', val=0.5)))
    own.init_weights()
    assert (own.fuse.weight == 0.5).all()


def test_loss_reaches_every_weight():
    head = MODELS.build(DEFAULT_ARGS)
    segmap = torch.randint(0, 3, (2, 12, 12), dtype=torch.uint8)
    sum(head.loss(features((12, 12), (12, 12), (6, 6)), segmap).values()).backward()
    assert all(weight.grad.count_nonzero() for weight in head.parameters())


def test_arguments():
    with pytest.raises(ValueError, match='one entry a level'):
        MODELS.build(dict(DEFAULT_ARGS, channels=(4, 6)))
    with pytest.raises(ValueError):
        MODELS.build(DEFAULT_ARGS)(features((9, 7), (9, 7)))
