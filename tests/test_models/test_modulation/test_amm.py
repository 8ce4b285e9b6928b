import os.path as osp

import numpy as np
import pytest
import torch
from torch import nn

from mmamr.models.modulation import AMM, ChannelModulation, SpatialModulation
from mmamr.registry import MODELS

DATA = osp.join(osp.dirname(__file__), '..', '..', 'data')
RELEASED = dict(
    channel=dict(layer='mlp', reduction=16),
    spatial=dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01)),
    function=dict(type='GaussianModulation', form='pdf', statistics='batch', unbiased=True),
)


@pytest.fixture()
def golden():
    with np.load(osp.join(DATA, 'amm_batch_stats.npz'), allow_pickle=False) as file:
        return {name: torch.as_tensor(file[name]) for name in file.files}


def load_released(amm, golden):
    state = {}
    for mine, theirs in (('0', '1'), ('2', '3')):
        weight = golden[f'state.ChannelAMM.mlp.{theirs}.weight']
        state[f'channel.layer.{mine}.weight'] = weight[:, :, None, None]
        state[f'channel.layer.{mine}.bias'] = golden[f'state.ChannelAMM.mlp.{theirs}.bias']
    state['spatial.conv.weight'] = golden['state.SpatialAMM.spatial.conv.weight']
    for name in ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'):
        state[f'spatial.norm.{name}'] = golden[f'state.SpatialAMM.spatial.bn.{name}']
    amm.load_state_dict(state, strict=True)


@pytest.mark.parametrize('mode', ['train', 'eval'])
def test_released_amm_matches_golden(golden, mode):
    amm = AMM(64, **RELEASED)
    load_released(amm, golden)
    amm.train(mode == 'train')
    with torch.no_grad():
        after_channel = amm.channel(golden['x'])
        after_spatial = amm(golden['x'])
    torch.testing.assert_close(after_channel, golden[f'after_channel_{mode}'], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(after_spatial, golden[f'after_spatial_{mode}'], rtol=1e-5, atol=1e-5)


def test_batch_stats_in_eval_is_the_released_slip(golden):
    amm = AMM(64, **{**RELEASED, 'spatial': {**RELEASED['spatial'], 'batch_stats_in_eval': True}})
    load_released(amm, golden)
    before = amm.spatial.norm.running_mean.clone()
    torch.testing.assert_close(amm.eval()(golden['x']), golden['after_spatial_train'], rtol=1e-5, atol=1e-5)
    assert torch.equal(amm.spatial.norm.running_mean, before)


@pytest.mark.parametrize('form', ['peak', 'pdf'])
def test_batch_equals_its_samples(form):
    torch.manual_seed(0)
    amm = AMM(16, function=dict(type='GaussianModulation', form=form)).eval()
    x = torch.randn(4, 16, 5, 7) * torch.tensor([1.0, 10.0, 0.1, 3.0])[:, None, None, None]
    together = amm(x)
    for i in range(4):
        torch.testing.assert_close(together[i : i + 1], amm(x[i : i + 1]), rtol=1e-5, atol=1e-6)


def test_batch_statistics_depend_on_neighbours():
    torch.manual_seed(0)
    amm = AMM(16, function=dict(type='GaussianModulation', statistics='batch')).eval()
    x = torch.randn(2, 16, 5, 7)
    x[1] *= 10
    assert not torch.allclose(amm(x)[:1], amm(x[:1]), rtol=1e-2)


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        RELEASED,
        dict(function=dict(type='GaussianModulation', form='pdf')),
        dict(function=dict(type='ThresholdModulation')),
        dict(function=dict(type='ThresholdModulation', statistics='sample', threshold=0.5)),
    ],
)
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('fill', ['zero', 'constant', 'huge', 'tiny', 'random', 'one pixel'])
def test_never_nan(options, dtype, fill):
    torch.manual_seed(0)
    amm = AMM(8, **options).eval()
    x = torch.randn(2, 8, 5, 7)
    if fill == 'zero':
        x.zero_()
    elif fill == 'constant':
        x.fill_(3.0)
    elif fill == 'huge':
        x = x.sign() * (6e4 if dtype == torch.float16 else 1e30)
    elif fill == 'tiny':
        x *= 1e-7
    elif fill == 'one pixel':
        x = x[:, :, :1, :1]
    out = amm(x.to(dtype))
    assert out.dtype == dtype and out.shape == x.shape
    assert not out.isnan().any()


@pytest.mark.parametrize('detach', [True, False])
@pytest.mark.parametrize('value', [0.0, 2.0])
def test_gradient_of_constant_input_is_finite(detach, value):
    amm = AMM(8, function=dict(type='GaussianModulation', detach=detach))
    x = torch.full((2, 8, 4, 4), value, requires_grad=True)
    amm(x).sum().backward()
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in amm.parameters())


def test_switches():
    x = torch.randn(2, 8, 5, 7)
    torch.manual_seed(0)
    both = AMM(8)
    channel = AMM(8, spatial=None)
    spatial = AMM(8, channel=None)
    assert channel.spatial is None and spatial.channel is None
    channel.channel.load_state_dict(both.channel.state_dict())
    spatial.spatial.load_state_dict(both.spatial.state_dict())
    torch.testing.assert_close(spatial(channel(x)), both(x))
    with pytest.raises(ValueError, match='both are None'):
        AMM(8, channel=None, spatial=None)


def test_halves_follow_the_equations():
    """Eq. 3-6 with the layers H written out."""
    torch.manual_seed(0)
    amm = AMM(8, spatial=dict(kernel_size=3)).eval()
    x = torch.randn(1, 8, 5, 7)

    def gaussian(v):
        mean = v.mean()
        sigma = (v - mean).square().mean().sqrt()
        return torch.exp(-((v - mean) ** 2) / (2 * sigma**2))

    weight, bias = amm.channel.layer.weight[:, :, 0, 0], amm.channel.layer.bias
    gate_c = gaussian(weight @ x.mean((2, 3))[0] + bias)
    f_c = gate_c[None, :, None, None] * x
    gate_s = gaussian(nn.functional.conv2d(f_c.mean(1, keepdim=True), amm.spatial.conv.weight, padding=1))
    torch.testing.assert_close(amm(x), gate_s * f_c)


@pytest.mark.parametrize(
    'cls, options, message',
    [
        (ChannelModulation, dict(in_channels=8, layer='linear'), 'layer must be one of'),
        (SpatialModulation, dict(pooling='min'), 'pooling must be one of'),
        (SpatialModulation, dict(kernel_size=4), 'kernel_size must be odd'),
        (SpatialModulation, dict(batch_stats_in_eval=True), 'needs a norm'),
    ],
)
def test_wrong_arguments_raise(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls(**options)


def test_builds_from_registry():
    assert isinstance(MODELS.build(dict(type='mmamr.AMM', in_channels=4)), AMM)
