from unittest.mock import Mock

import torch
from torch import nn

from mmamr.registry import HOOKS


def test_layout_of_weights_and_activations():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.Flatten(), nn.Linear(2 * 16, 2))
    x = torch.randn(2, 3, 8, 8)
    expected = model(x)
    HOOKS.build(dict(type='ChannelsLastHook')).before_train(Mock(model=model))
    assert all(layer.weight.is_contiguous(memory_format=torch.channels_last) for layer in (model[0], model[2]))
    assert model[:3](x).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model(x), expected)
