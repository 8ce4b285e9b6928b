import torch

from mmamr.registry import MODELS

DEFAULT_ARGS = dict(type='CAMHead', num_classes=5, in_channels=8)


def test_equation_1():
    head = MODELS.build(DEFAULT_ARGS)
    feats = torch.randn(2, 8, 6, 7)
    expected = torch.einsum('kc,nchw->nkhw', head.conv.weight[:, :, 0, 0], feats)
    torch.testing.assert_close(head(feats), expected)
    assert head.conv.bias is None


def test_scores_are_those_of_pooled_features():
    head = MODELS.build(DEFAULT_ARGS)
    feats = torch.randn(2, 8, 6, 7)
    torch.testing.assert_close(head(feats).mean((2, 3)), feats.mean((2, 3)) @ head.conv.weight[:, :, 0, 0].T)


def test_takes_the_last_of_several_maps():
    head = MODELS.build(DEFAULT_ARGS)
    feats = (torch.randn(2, 4, 12, 14), torch.randn(2, 8, 6, 7))
    torch.testing.assert_close(head(feats), head(feats[-1]))


def test_init_cfg():
    torch.manual_seed(0)
    head = MODELS.build({**DEFAULT_ARGS, 'in_channels': 2048})
    head.init_weights()
    assert 0.009 < head.conv.weight.std() < 0.011
    head = MODELS.build({**DEFAULT_ARGS, 'init_cfg': dict(type='Constant', layer='Conv2d', val=2.0)})
    head.init_weights()
    assert (head.conv.weight == 2).all()
