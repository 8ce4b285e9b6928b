"""AMM enters each backbone from outside, and the backbone does not notice."""

import copy

import pytest
import torch
from torch import nn

from mmamr.models.modulation import AMM, attach_amm, detach_after
from mmamr.registry import MODELS

AMM_CFG = dict(type='AMM')
RESNET = dict(base_channels=4, stem_channels=4)
BACKBONES = {
    'mmseg.ResNet-18': (dict(type='mmseg.ResNet', depth=18, **RESNET), r'layer[34]\.\d+\.bn2', 4, 16),
    'mmseg.ResNet-50': (dict(type='mmseg.ResNet', depth=50, **RESNET), r'layer[1-4]\.\d+\.bn3', 16, 16),
    'mmpretrain.ResNet-50': (
        dict(type='mmpretrain.ResNet', depth=50, expansion=4, **RESNET),
        r'layer4\.\d+\.bn3',
        3,
        128,
    ),
    'mmseg.MobileNetV2': (dict(type='mmseg.MobileNetV2', widen_factor=0.25), r'layer[56]\.[12]\.conv\.2', 4, 24),
    'mmpretrain.MobileNetV2': (
        dict(type='mmpretrain.MobileNetV2', widen_factor=0.25),
        r'layer[5-6]\.\d+\.conv\.2',
        6,
        24,
    ),
    'mmpretrain.ConvNeXt': (
        dict(
            type='mmpretrain.ConvNeXt',
            arch=dict(depths=[1, 1, 2, 1], channels=[8, 16, 16, 24]),
            drop_path_rate=0.1,
            gap_before_final_norm=False,
        ),
        r'stages\.\d+\.\d+\.drop_path',
        5,
        8,
    ),
}
all_backbones = pytest.mark.parametrize('name', list(BACKBONES))


def build(name):
    cfg, layers, count, channels = BACKBONES[name]
    torch.manual_seed(0)
    return MODELS.build(cfg), layers, count, channels


def last(backbone, x):
    out = backbone(x)
    return out if isinstance(out, torch.Tensor) else out[-1]


@all_backbones
def test_names_and_weights_stay(name):
    backbone, layers, count, channels = build(name)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    modes = [module.training for module in backbone.modules()]
    amms = attach_amm(backbone, layers, AMM_CFG)
    assert len(amms) == count and all(isinstance(hook.amm, AMM) for hook in amms.values())
    assert next(iter(amms.values())).amm.channel.layer.in_channels == channels
    after = backbone.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)  # BatchNorm's statistics, too
    assert [module.training for module in backbone.modules()] == modes
    assert all(parameter.grad is None for parameter in backbone.parameters())
    # weights from elsewhere load under their own names
    pretrained = build(name)[0].state_dict()
    backbone.load_state_dict({key: value + 1 for key, value in pretrained.items()}, strict=True)


@all_backbones
def test_reaches_the_output_and_gets_gradients(name):
    backbone, layers, _, _ = build(name)
    backbone.eval()
    x = torch.randn(2, 3, 64, 64)
    plain = last(backbone, x)
    amms = attach_amm(backbone, layers, AMM_CFG)
    modulated = last(backbone, x)
    assert modulated.shape == plain.shape and not torch.allclose(modulated, plain)
    modulated.square().mean().backward()
    for key, parameter in amms.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key


@all_backbones
def test_a_sample_does_not_depend_on_its_batch(name):
    backbone, layers, _, _ = build(name)
    attach_amm(backbone, layers, AMM_CFG)
    backbone.eval()
    x = torch.randn(3, 3, 64, 64) * torch.tensor([1.0, 5.0, 0.2])[:, None, None, None]
    with torch.no_grad():
        together = last(backbone, x)
        for i in range(3):
            torch.testing.assert_close(together[i : i + 1], last(backbone, x[i : i + 1]), atol=1e-5, rtol=1e-4)


class Branch(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.backbone, layers, _, _ = build(name)
        self.amm = attach_amm(self.backbone, layers, AMM_CFG)

    def forward(self, x):
        return last(self.backbone, x)


def test_a_copy_has_amms_of_its_own():
    branch = Branch('mmseg.ResNet-18').eval()
    x = torch.randn(1, 3, 64, 64)
    before = branch(x)
    clone = copy.deepcopy(branch)
    torch.testing.assert_close(clone(x), before)
    with torch.no_grad():
        for parameter in clone.amm.parameters():
            # not a constant: the Gaussian is of values less their mean, which a constant does not change
            parameter.add_(torch.randn_like(parameter))
    assert not torch.allclose(clone(x), before)
    torch.testing.assert_close(branch(x), before)


def test_each_pattern_must_match():
    backbone = build('mmseg.ResNet-18')[0]
    with pytest.raises(ValueError) as caught:
        attach_amm(backbone, [r'layer4\.\d+\.bn2', r'stage9\..*'], AMM_CFG)
    message = str(caught.value)
    assert message.startswith(r"no submodule of ResNet is named 'stage9\\..*'; its names are like ")
    assert '\n' not in message
    assert not any(module._forward_hooks for module in backbone.modules())


def test_whole_names_are_matched():
    amms = attach_amm(build('mmseg.ResNet-18')[0], 'layer4.1.bn2', AMM_CFG)
    assert list(amms) == ['layer4-1-bn2']


def test_order_is_that_of_the_network():
    amms = attach_amm(build('mmseg.ResNet-18')[0], [r'layer4\.1\.bn2', r'layer3\.0\.bn2', r'layer3\.\d\.bn2'], AMM_CFG)
    assert list(amms) == ['layer3-0-bn2', 'layer3-1-bn2', 'layer4-1-bn2']


class Odd(nn.Module):
    """A network with a layer that returns no maps, and one that is never run."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.unused = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.pool(self.conv(x))


@pytest.mark.parametrize('layer, returns', [('pool', r'\(1, 4\)'), ('unused', 'nothing in a forward pass')])
def test_layers_without_maps(layer, returns):
    with pytest.raises(ValueError, match=rf"AMM needs maps \(N, C, H, W\) behind '{layer}', which returns {returns}"):
        attach_amm(Odd(), layer, AMM_CFG)


def test_probe_leaves_no_trace_after_an_exception():

    class Failing(Odd):
        def forward(self, x):
            raise RuntimeError('no images of 64 pixels')

    network = Failing().train()
    network.conv.eval()
    with pytest.raises(RuntimeError, match='64 pixels'):
        attach_amm(network, 'conv', AMM_CFG)
    assert network.training and not network.conv.training
    assert not network.conv._forward_hooks


def test_detach_after():
    backbone = build('mmseg.ResNet-18')[0]
    x = torch.randn(2, 3, 64, 64)
    backbone.train()
    before = last(backbone, x)
    handles = detach_after(backbone, 'layer2')
    out = last(backbone, x)
    torch.testing.assert_close(out, before)
    out.square().mean().backward()
    for name, parameter in backbone.named_parameters():
        assert (parameter.grad is not None) == name.startswith(('layer3', 'layer4')), name
    for handle in handles:
        handle.remove()
    last(backbone, x).square().mean().backward()
    assert backbone.conv1.weight.grad is not None
    with pytest.raises(ValueError, match='no submodule'):
        detach_after(backbone, 'layer9')


def test_detached_only_in_training():
    original = build('mmseg.ResNet-18')[0]
    original.train()
    detach_after(original, 'layer2')
    twin = copy.deepcopy(original)
    twin.eval()
    image = torch.randn(1, 3, 64, 64, requires_grad=True)
    assert torch.autograd.grad(last(twin, image).square().mean(), image)[0].any()
    assert torch.autograd.grad(last(original, image).square().mean(), image, allow_unused=True) == (None,)
