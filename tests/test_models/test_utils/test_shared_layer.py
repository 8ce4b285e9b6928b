"""Layers that both branches have in common: the same numbers as two copies of them, computed once."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import load_state_dict
from mmpretrain.structures import DataSample

from mmamr.registry import MODELS

LAYERS = ('conv1', 'bn1', 'layer[12]')


def branch(**kwargs):
    return dict(
        backbone=dict(
            type='mmseg.ResNet',
            depth=18,
            base_channels=4,
            stem_channels=4,
            out_indices=(3,),
            frozen_stages=2,
            norm_eval=True,
        ),
        head=dict(type='CAMHead', num_classes=4, in_channels=32),
        **kwargs,
    )


def config(**kwargs):
    modulation = dict(layers=r'layer[34]\.\d\.bn2')
    return dict(
        type='AMRClassifier', spotlight=branch(), compensation=branch(modulation=modulation), **copy.deepcopy(kwargs)
    )


def pair(**kwargs):
    """A model with two copies of the frozen layers, and one that shares them, of the same weights."""
    torch.manual_seed(0)
    two = MODELS.build(config(**kwargs))
    for layer in ('conv1', 'bn1', 'layer1', 'layer2'):
        getattr(two.compensation.backbone, layer).load_state_dict(getattr(two.spotlight.backbone, layer).state_dict())
    one = MODELS.build(config(**kwargs, shared_layers=LAYERS))
    load_state_dict(one, two.state_dict(), strict=True)
    return two, one


def counted(model):
    """How often the first convolution is computed."""
    calls = []
    model.spotlight.backbone.conv1.register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.fixture
def batch():
    torch.manual_seed(1)
    samples = [DataSample().set_gt_label(torch.tensor(labels)) for labels in ([0], [1, 3])]
    return torch.randn(2, 3, 64, 48), samples


@pytest.mark.parametrize('kwargs', [{}, dict(frozen_spotlight=True)], ids=['joint', 'frozen'])
def test_training_is_the_same_to_the_last_digit(batch, kwargs):
    states = []
    for model in pair(**kwargs):
        model.train()
        optimizer = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)))
        for _ in range(3):
            losses = model(*batch, mode='loss')
            optimizer.update_params(sum(value for name, value in losses.items() if 'loss' in name))
        states.append(model.state_dict())
    assert len(states[1]) < len(states[0])
    for name, tensor in states[1].items():
        torch.testing.assert_close(tensor, states[0][name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize('kwargs', [{}, dict(frozen_spotlight=True)], ids=['joint', 'frozen'])
@pytest.mark.parametrize('mode', ['tensor', 'predict', 'loss'])
def test_computed_once(batch, mode, kwargs):
    two, one = (model.eval() for model in pair(**kwargs))
    calls = counted(one)
    one(*batch, mode=mode)
    assert len(calls) == 1
    for name, maps in two.class_maps(batch[0]).items():
        torch.testing.assert_close(one.class_maps(batch[0])[name], maps, rtol=0, atol=0)


def test_nothing_is_remembered_afterwards(batch):
    _, model = pair()
    calls = counted(model)
    model.class_maps(batch[0])
    assert not any(layer._outputs for layer in model.shared_layers)
    model.class_maps(batch[0])
    assert len(calls) == 2
    # one branch alone, as climbing asks for
    model.compensation.class_maps(batch[0])
    assert len(calls) == 3


def test_other_images_of_the_same_size_are_computed(batch):
    _, model = pair()
    other = torch.randn_like(batch[0])
    with model.computed_once():
        first = model.spotlight.class_maps(batch[0])
        second = model.spotlight.class_maps(other)
        again = model.compensation.class_maps(other)
    assert not torch.allclose(first, second)
    torch.testing.assert_close(again, model.compensation.class_maps(other), rtol=0, atol=0)


def test_layers_that_are_trained_are_computed_with_gradient(batch):
    """A frozen spotlight owns what it shares, so nothing of it is trained; but whoever thaws it gets the gradient."""
    _, model = pair(frozen_spotlight=True)
    model.spotlight.backbone.layer2.requires_grad_(True)
    model.parse_losses(model(*batch, mode='loss'))[0].backward()
    assert model.spotlight.backbone.layer2[0].conv1.weight.grad.abs().sum() > 0


def test_layers_that_are_trained_get_the_gradient_of_both_branches(batch):
    torch.manual_seed(0)
    cfg = config(loss_cps=None, shared_layers=(*LAYERS, 'layer3'))
    cfg['compensation']['modulation']['layers'] = r'layer4\.\d\.bn2'
    model = MODELS.build(cfg)
    losses = model(*batch, mode='loss')
    weight = model.spotlight.backbone.layer3[0].conv1.weight
    parts = [torch.autograd.grad(loss, weight, retain_graph=True)[0] for loss in losses.values()]
    assert all(part.abs().sum() > 0 for part in parts)
    sum(losses.values()).backward()
    torch.testing.assert_close(weight.grad, sum(parts))


def test_a_copy_shares_with_itself(batch):
    _, model = pair()
    clone = copy.deepcopy(model)
    with torch.no_grad():
        clone.spotlight.backbone.conv1.weight.add_(1)
    maps, changed = model.class_maps(batch[0]), clone.class_maps(batch[0])
    calls = counted(clone)
    clone.class_maps(batch[0])
    assert len(calls) == 1
    assert not any(torch.allclose(maps[name], changed[name]) for name in maps)


def test_weights_of_unequal_layers_are_refused():
    two, one = pair()
    state = {name: tensor.clone() for name, tensor in two.state_dict().items()}
    state['compensation.backbone.layer1.0.conv1.weight'] += 1
    with pytest.raises(RuntimeError, match=r'layer1\.0\.conv1\.weight is not what the other branch has'):
        one.load_state_dict(state)


@pytest.mark.parametrize(
    'layers, message',
    [
        ('layer[0-9]', r"'layer3' cannot be shared, since the modulation or detach_after acts on 'layer3\.0\.bn2'"),
        ('stage1', 'no submodule of ResNet is named'),
    ],
)
def test_layers_that_cannot_be_shared(layers, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config(shared_layers=layers))


def test_other_architectures_are_refused():
    cfg = config(shared_layers='layer1')
    cfg['compensation']['backbone']['base_channels'] = 8
    cfg['compensation']['head']['in_channels'] = 64
    with pytest.raises(ValueError, match="'layer1' is not the same layer in the two backbones"):
        MODELS.build(cfg)
