import pytest
import torch

from mmamr.registry import MODELS

LEVELS = dict(in_channels=(8, 16, 24, 32), strides=(4, 4, 8, 16))
EDGE = dict(type='EdgeHead', **LEVELS)
DISPLACEMENT = dict(type='DisplacementHead', channels=(8, 16, 24, 32), merged_channels=32, **LEVELS)


def features(size, levels=LEVELS):
    return [
        torch.randn(2, channels, -(-size[0] // stride), -(-size[1] // stride))
        for channels, stride in zip(levels['in_channels'], levels['strides'])
    ]


@pytest.mark.parametrize('cfg, channels', [(EDGE, 1), (DISPLACEMENT, 2)])
class TestBothHeads:
    @pytest.mark.parametrize('size', [(1, 1), (3, 50), (33, 34), (64, 48)])
    def test_size_is_a_quarter_rounded_up(self, cfg, channels, size):
        out = MODELS.build(cfg)(features(size), size)
        assert out.shape == (2, channels, -(-size[0] // 4), -(-size[1] // 4))

    def test_levels_that_are_not_as_told(self, cfg, channels):
        head = MODELS.build(cfg)
        with pytest.raises(ValueError, match=r'correct `strides` of the head or `taps`'):
            head(features((64, 64)), (32, 32))
        with pytest.raises(ValueError, match='levels of strides'):
            head(features((64, 64))[:3], (64, 64))

    def test_arguments(self, cfg, channels):
        with pytest.raises(ValueError, match='the same levels'):
            MODELS.build(dict(cfg, strides=(4, 8)))
        with pytest.raises(ValueError, match='must be 4, 8, 16 or 32'):
            MODELS.build(dict(cfg, strides=(2, 4, 8, 16)))

    def test_loss_reaches_every_weight(self, cfg, channels):
        head = MODELS.build(cfg)
        segmap = torch.randint(0, 3, (2, 24, 24), dtype=torch.uint8)
        sum(head.loss(features((96, 96)), (96, 96), segmap).values()).backward()
        assert all(weight.grad.count_nonzero() for weight in head.parameters())


def test_levels_of_irnet():
    levels = dict(in_channels=(64, 256, 512, 1024, 2048), strides=(4, 4, 8, 16, 16))
    edge = MODELS.build(dict(type='EdgeHead', **levels))
    assert edge.predict.weight.shape == (1, 160, 1, 1)
    assert [level.scale for level in edge.levels] == [1, 1, 2, 4, 4]
    displacement = MODELS.build(dict(type='DisplacementHead', **levels))
    assert [level.norm.num_groups for level in displacement.levels] == [8, 16, 16, 16, 16]
    assert [level.scale for level in displacement.levels] == [1, 1, 1, 2, 2]
    assert displacement.merge.conv.weight.shape == (256, 768, 1, 1)
    assert displacement.join.conv.weight.shape == (256, 448, 1, 1)


def test_displacement_head_needs_a_coarse_level_and_channels_for_all():
    with pytest.raises(ValueError, match='a stride above 4'):
        MODELS.build(dict(type='DisplacementHead', in_channels=(8,), strides=(4,), channels=(8,)))
    with pytest.raises(ValueError, match='one entry a level'):
        MODELS.build(dict(type='DisplacementHead', in_channels=(8, 8), strides=(4, 8)))


def test_coarse_levels_stay_in_register():
    """A level is upsampled by its stride and cut, so that an image padded below and right has the same edges."""
    head = MODELS.build(dict(type='EdgeHead', in_channels=(4,), strides=(8,)))
    level = head.levels[0]
    level.norm = torch.nn.Identity()
    x = torch.randn(1, 4, 4, 4)
    torch.testing.assert_close(head([x], (32, 32))[..., :7, :5], head([x], (26, 32))[..., :7, :5])
