"""WideResNet38: the released network's names, shapes and forward pass; what is frozen; where it is used."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.models import WideResNet38
from mmamr.registry import MODELS

DEFAULT_ARGS = dict(type='WideResNet38', base_channels=8)
NAMES = (
    'b2',
    'b2_1',
    'b2_2',
    'b3',
    'b3_1',
    'b3_2',
    'b4',
    'b4_1',
    'b4_2',
    'b4_3',
    'b4_4',
    'b4_5',
    'b5',
    'b5_1',
    'b5_2',
    'b6',
    'b7',
)


def build(**kwargs):
    torch.manual_seed(0)
    model = MODELS.build({**DEFAULT_ARGS, **kwargs})
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


def released(state, x):
    """The released network written out: strides and dilations by name, nothing but functions and its state dict."""

    def norm(name, x):
        return F.relu(
            F.batch_norm(
                x,
                *(state[f'{name}.{part}'] for part in ('running_mean', 'running_var')),
                state[f'{name}.weight'],
                state[f'{name}.bias'],
            )
        )

    def conv(name, x, stride=1, dilation=1):
        weight = state[f'{name}.weight']
        return F.conv2d(x, weight, None, stride, dilation * (weight.shape[-1] // 2), dilation)

    features = {}
    x = conv('conv1a', x)
    for name in NAMES:
        stride = 2 if name in ('b2', 'b3', 'b4') else 1
        start = features[name] = norm(f'{name}.bn_branch2a', x)
        shortcut = conv(f'{name}.conv_branch1', start, stride) if f'{name}.conv_branch1.weight' in state else x
        if name in ('b6', 'b7'):
            y = norm(f'{name}.bn_branch2b1', conv(f'{name}.conv_branch2a', start))
            y = norm(f'{name}.bn_branch2b2', conv(f'{name}.conv_branch2b1', y, dilation=4))
            y = conv(f'{name}.conv_branch2b2', y)
        else:
            first, second = {'b5': (1, 2), 'b5_1': (2, 2), 'b5_2': (2, 2)}.get(name, (1, 1))
            y = norm(f'{name}.bn_branch2b1', conv(f'{name}.conv_branch2a', start, stride, first))
            y = conv(f'{name}.conv_branch2b1', y, dilation=second)
        x = shortcut + y
    return features['b5'], features['b6'], norm('bn7', x)


@pytest.mark.parametrize('size', [(64, 64), (1, 1), (37, 50)])
def test_equals_the_released_network(size):
    model = build(out_indices=(2, 3, 5)).eval().double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    outs = model(x)
    height, width = (-(-side // 8) for side in size)
    assert [tuple(out.shape) for out in outs] == [(2, channels, height, width) for channels in (64, 128, 512)]
    for out, expected in zip(outs, released(model.state_dict(), x), strict=True):
        torch.testing.assert_close(out, expected)


def test_names_and_shapes_of_the_release():
    with torch.device('meta'):
        state = WideResNet38().state_dict()
    assert {name.split('.')[0] for name in state} == {'conv1a', *NAMES, 'bn7'}
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    assert shapes['conv1a.weight'] == (64, 3, 3, 3) and shapes['bn7.running_var'] == (4096,)
    assert shapes['b5.conv_branch1.weight'] == (1024, 512, 1, 1)
    assert shapes['b5_2.conv_branch2b1.weight'] == (1024, 512, 3, 3)
    assert shapes['b6.conv_branch2b1.weight'] == (1024, 512, 3, 3)
    assert shapes['b7.conv_branch2b2.weight'] == (4096, 2048, 1, 1)
    assert 'b2_1.conv_branch1.weight' not in state and 'b4.conv_branch1.weight' in state


def test_strides_and_dilations():
    model = build(strides=(2, 2, 2, 2, 1, 1), dilations=(1, 1, 1, 1, 2, 2), out_indices=(0, 1, 2, 3, 4, 5)).eval()
    assert [out.shape[-2:] for out in model(torch.zeros(1, 3, 64, 33))] == [
        (32, 17),
        (16, 9),
        (8, 5),
        (4, 3),
        (4, 3),
        (4, 3),
    ]
    assert model.b5.conv_branch2b1.dilation == (1, 1) and model.b7.conv_branch2b1.dilation == (2, 2)


def test_dropout_is_of_b6_and_b7():
    x = torch.randn(1, 3, 32, 32)
    model = build(norm_eval=True, out_indices=(4, 5))
    assert [model.b6.dropout_2b1.p, model.b7.dropout_2b2.p] == [0.3, 0.5]
    model.train()
    for first, second in zip(model(x), model(x)):
        assert not torch.equal(first, second)
    model = build(norm_eval=True, dropouts=(0.0, 0.0))
    torch.testing.assert_close(model.train()(x), model.eval()(x))


def test_frozen_stages_and_norm_eval():
    x = torch.randn(2, 3, 32, 32)
    for frozen, moving in ((-1, 'conv1a'), (0, 'b2'), (1, 'b3'), (3, 'b5')):
        model = build(frozen_stages=frozen)
        first = next(name for name, parameter in model.named_parameters() if parameter.requires_grad)
        assert first.split('.')[0] == moving
        before = copy.deepcopy(model.state_dict())
        model.train()(x)
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert changed and not any(name.startswith(model.stages[i][0]) for i in range(frozen) for name in changed)
    model = build(frozen_stages=6)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not any(module.training for module in model.train().modules() if isinstance(module, _BatchNorm))
    model = build(norm_eval=True).train()
    assert model.training and not any(module.training for module in model.modules() if isinstance(module, _BatchNorm))
    model = build(norm_cfg=dict(type='BN', requires_grad=False))
    assert {name.split('.')[-2][:2] for name, p in model.named_parameters() if p.requires_grad} == {'co'}


@pytest.mark.parametrize(
    'wrong, message',
    [
        (dict(strides=(2, 2)), '6 strides, 6 dilations and 2 dropouts'),
        (dict(dropouts=(0.3,)), '6 strides, 6 dilations and 2 dropouts'),
        (dict(out_indices=(6,)), 'out_indices must be of 0 to 5'),
        (dict(out_indices=()), 'out_indices must be of 0 to 5'),
        (dict(frozen_stages=7), 'frozen_stages must be -1 to 6'),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)


def test_released_weights_load_strictly(tmp_path):
    weights = {**build().state_dict(), 'fc8.weight': torch.zeros(20, 512, 1, 1)}
    torch.save(weights, tmp_path / 'res38_cls.pth')
    init_cfg = dict(type='StrictPretrained', checkpoint=str(tmp_path / 'res38_cls.pth'))
    model = MODELS.build({**DEFAULT_ARGS, 'init_cfg': {**init_cfg, 'unused': ('fc8.',)}})
    model.init_weights()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match=r'1 tensors not in the model \(fc8.weight\)'):
        MODELS.build({**DEFAULT_ARGS, 'init_cfg': init_cfg}).init_weights()


def test_in_a_cam_classifier_and_amr():
    branch = dict(backbone=DEFAULT_ARGS, head=dict(type='CAMHead', num_classes=3, in_channels=512))
    layers = [r'b5(_\d)?\.conv_branch2b1', r'b[67]\.conv_branch2b2']
    model = MODELS.build(
        dict(
            type='AMRClassifier',
            spotlight=branch,
            compensation=dict(**branch, modulation=dict(layers=layers, amm=dict(type='AMM'))),
        )
    ).eval()
    assert len(model.compensation.amm) == 5
    maps = model.class_maps(torch.randn(1, 3, 33, 48))
    assert {name: value.shape[1:] for name, value in maps.items()} == dict.fromkeys(maps, (3, 5, 6))
    spotlight = MODELS.build(dict(type='CAMClassifier', spotlight=branch)).state_dict()
    assert spotlight.keys() == {name for name in model.state_dict() if name.startswith('spotlight.')}


def test_in_affinitynet():
    model = MODELS.build(
        dict(
            type='AffinityNet',
            backbone=dict(**DEFAULT_ARGS, out_indices=(2, 3, 5), frozen_stages=1, norm_eval=True),
            head=dict(type='AffinityHead', in_channels=(64, 128, 512), channels=(4, 8, 16)),
        )
    ).eval()
    (maps,) = model.affinity(torch.randn(1, 3, 33, 50))
    assert maps['feature'].shape == (28, 5, 7)
    cam = torch.rand(2, 9, 13)
    assert model.walk(cam, maps).shape == cam.shape
