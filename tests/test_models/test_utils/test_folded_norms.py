"""BatchNorm folded into convolutions: the same numbers, and the model as it was afterwards."""

import gc

import pytest
import torch
from torch import nn

from mmamr.models.utils import folded_copy, folded_norms
from mmamr.registry import MODELS

PROBE = torch.linspace(-2, 2, 3 * 64 * 64).view(1, 3, 64, 64)
BACKBONES = {
    'ResNet': (dict(type='mmseg.ResNet', depth=18, base_channels=4, stem_channels=4, out_indices=(3,)), 20),
    'Bottleneck': (dict(type='mmseg.ResNet', depth=50, base_channels=4, stem_channels=4, out_indices=(3,)), 53),
    'MobileNetV2': (dict(type='mmseg.MobileNetV2', widen_factor=0.25, out_indices=(6,)), 51),
    # its norms come before their convolutions, but for the second and third of a block
    'WideResNet38': (dict(type='WideResNet38', base_channels=4), 20),
    'ConvNeXt': (dict(type='mmpretrain.ConvNeXt', arch='atto', gap_before_final_norm=False), 0),
}


def random_norms(model):
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return model.eval()


def last(output):
    return output[-1] if isinstance(output, (tuple, list)) else output


class Last(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x):
        return last(self.backbone(x))


class Block(nn.Module):
    """A convolution, a norm, and what is made of them."""

    def __init__(self, affine=True, bias=False, skip=False, twice=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, bias=bias, padding=1)
        self.norm = nn.BatchNorm2d(3, affine=affine)
        self.skip = skip
        self.twice = twice

    def forward(self, x):
        y = self.conv(x)
        if self.twice:
            return self.norm(y) + self.conv(self.norm(y))
        return self.norm(y) + y if self.skip else self.norm(y)


def small(**kwargs):
    torch.manual_seed(0)
    model = Block(**kwargs).eval()
    model.norm.running_mean.normal_()
    model.norm.running_var.uniform_(0.5, 2)
    return model


@pytest.mark.parametrize('name', BACKBONES)
def test_backbones(name):
    cfg, count = BACKBONES[name]
    torch.manual_seed(0)
    model = random_norms(Last(MODELS.build(cfg)))
    images = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        expected = model(images)
        with folded_norms(model, PROBE) as folded:
            result = model(images)
        assert folded == count
        torch.testing.assert_close(result / expected.abs().max(), expected / expected.abs().max(), rtol=0, atol=1e-5)
        torch.testing.assert_close(model(images), expected, rtol=0, atol=0)


@pytest.mark.parametrize('kwargs', [{}, dict(affine=False), dict(bias=True)], ids=['plain', 'not affine', 'bias'])
def test_the_norm_is_not_computed(kwargs):
    model = small(**kwargs)
    expected = model(PROBE)
    with folded_norms(model, PROBE) as folded:
        assert folded == 1
        torch.testing.assert_close(model(PROBE), expected)
        torch.testing.assert_close(model.conv(PROBE), expected)


def test_hooks_behind_a_norm_see_what_they_saw():
    model = small()
    seen = []
    model.norm.register_forward_hook(lambda _module, _inputs, output: seen.append(output) or 2 * output)
    expected = model(PROBE)
    with folded_norms(model, PROBE) as folded:
        assert folded == 1
        torch.testing.assert_close(model(PROBE), expected)
    torch.testing.assert_close(seen[-1], seen[0])


@pytest.mark.parametrize('kwargs', [dict(skip=True), dict(twice=True)], ids=['skip', 'twice'])
def test_a_convolution_that_is_read_elsewhere_is_left_alone(kwargs):
    model = small(**kwargs)
    expected = model(PROBE)
    with folded_norms(model, PROBE) as folded:
        assert folded == 0
        torch.testing.assert_close(model(PROBE), expected, rtol=0, atol=0)


def test_a_norm_in_training_mode_is_left_alone():
    model = small().train()
    with folded_norms(model, PROBE) as folded:
        assert folded == 0


def test_a_hook_between_the_two_is_respected():
    model = small()
    model.conv.register_forward_hook(lambda _module, _inputs, output: 3 * output)
    with folded_norms(model, PROBE) as folded:
        assert folded == 0


def test_after_an_exception_the_model_is_as_it_was():
    model = small()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weight = model.conv.weight
    with pytest.raises(KeyboardInterrupt):
        with folded_norms(model, PROBE):
            raise KeyboardInterrupt
    assert model.conv.weight is weight and weight.requires_grad and model.conv.bias is None
    assert list(model.state_dict()) == list(state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_gradients_reach_the_image():
    model = small()
    image = PROBE.clone().requires_grad_()
    (expected,) = torch.autograd.grad(model(image).square().sum(), image)
    with folded_norms(model, PROBE):
        (result,) = torch.autograd.grad(model(image).square().sum(), image)
    torch.testing.assert_close(result, expected)


def test_a_copy_stays_folded():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    nn.init.uniform_(model[1].running_var, 0.5, 2)
    inputs = torch.randn(2, 3, 9, 9)
    copied = folded_copy(model, inputs)
    gc.collect()
    torch.testing.assert_close(copied(inputs), model(inputs))
    assert copied[0].bias is not None and not torch.equal(copied[0].weight, model[0].weight)
    assert not any(one.requires_grad for one in copied.parameters()) and model[0].weight.requires_grad
    assert torch.equal(copied[1](inputs), inputs)  # the norm does nothing any more
