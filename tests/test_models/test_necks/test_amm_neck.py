import torch

from mmamr.registry import MODELS


def test_modulates_the_last_map():
    torch.manual_seed(0)
    neck = MODELS.build(dict(type='AMMNeck', in_channels=8, amm=dict(type='AMM', spatial=None)))
    assert neck.amm.spatial is None
    feats = (torch.randn(2, 4, 12, 14), torch.randn(2, 8, 6, 7))
    out = neck(feats)
    assert len(out) == 2 and out[0] is feats[0]
    torch.testing.assert_close(out[1], neck.amm(feats[1]))
    assert not torch.equal(out[1], feats[1])
