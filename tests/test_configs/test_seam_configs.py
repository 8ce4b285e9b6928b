"""SEAM's configs, IRNet's classifier and AffinityNet on WideResNet-38 are what their releases train."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from torch import nn

from mmamr.registry import MODELS

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture(autouse=True)
def mmamr_scope():
    with DefaultScope.overwrite_default_scope('mmamr'):
        yield


def load(name, **options):
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    cfg.merge_from_dict(options)
    return cfg


def narrow(name):
    """A config of WideResNet-38 with an eighth of its channels."""
    branches = ('spotlight', 'compensation') if 'amr' in name else ('spotlight',)
    options = {f'model.{branch}.backbone.base_channels': 8 for branch in branches}
    options['model.spotlight.head.in_channels'] = (64, 128, 512)
    if 'amr' in name:
        options['model.compensation.head.in_channels'] = 512
    return load(name, **options)


def rates(model, optim_wrapper):
    """Learning rate of each parameter that moves, by its name."""
    optimizer = build_optim_wrapper(model, optim_wrapper).optimizer
    rate = {id(p): group['lr'] for group in optimizer.param_groups for p in group['params']}
    return {name: rate[id(p)] for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    'name, stride',
    [
        ('seam/seam_resnet38_1xb8-8e_voc12aug-448px', 8),
        ('seam/seam-amr_resnet38_1xb8-8e_voc12aug-448px', 8),
        ('seam/seam_mobilenet-v2_1xb16-4e_voc-animals-225px', 16),
        ('seam/seam-amr_mobilenet-v2_1xb16-4e_voc-animals-225px', 16),
    ],
)
def test_seam_trains_and_makes_maps(name, stride):
    cfg = narrow(name) if 'resnet38' in name else load(name)
    model = MODELS.build(cfg.model)
    classes = len(cfg.test_dataloader.dataset.get('metainfo', {}).get('classes', range(20)))
    x, samples = torch.randn(2, 3, 64, 96), [DataSample().set_gt_label(torch.tensor([0, 2])) for _ in range(2)]
    losses = model(x, samples, mode='loss')
    model.parse_losses(losses)[0].backward()
    # a distributed wrapper would wait for a parameter that gets no gradient
    assert not [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    expected = {'loss_cls', 'loss_er', 'loss_ecr', 'loss_min'}
    if 'amr' in name:
        expected = {f'{loss}_spotlight' for loss in expected} | {'loss_cls_compensation', 'loss_cps'}
    assert set(losses) == expected
    maps = model.eval().class_maps(x)
    assert list(maps) == (['spotlight', 'compensation'] if 'amr' in name else ['spotlight'])
    assert all(one.shape == (2, classes, 64 // stride, 96 // stride) for one in maps.values())


def test_seam_as_released():
    cfg = narrow('seam/seam_resnet38_1xb8-8e_voc12aug-448px')
    model = MODELS.build(cfg.model)
    moving = rates(model, cfg.optim_wrapper)
    assert not any(
        name.startswith(('spotlight.backbone.conv1a', 'spotlight.backbone.b2')) or '.bn' in name for name in moving
    )
    assert {rate for name, rate in moving.items() if 'backbone' in name} == {0.01}
    assert {name: rate for name, rate in moving.items() if 'backbone' not in name} == {
        f'spotlight.head.{name}.weight': 0.1 for name in ('conv', 'levels.0', 'levels.1', 'pcm.embed')
    }
    assert (cfg.optim_wrapper.optimizer.weight_decay, cfg.train_cfg.max_epochs) == (5e-4, 8)
    assert (cfg.train_dataloader.batch_size, cfg.test_cfg.scales) == (8, (0.5, 1.0, 1.5, 2.0))


def test_classifier_of_irnet():
    cfg = load('irnet/cam_resnet50_irnet_1xb16-5e_voc12aug-512px')
    moving = rates(MODELS.build(cfg.model), cfg.optim_wrapper)
    assert {name.split('.')[2] for name in moving if 'backbone' in name} == {'layer3', 'layer4'}
    assert {rate for name, rate in moving.items() if 'backbone' in name} == {0.1}
    assert moving['spotlight.head.conv.weight'] == 1.0
    assert (cfg.optim_wrapper.optimizer.weight_decay, cfg.train_cfg.max_epochs) == (1e-4, 5)
    assert (cfg.train_dataloader.batch_size, cfg.test_cfg.scales) == (16, (1.0, 0.5, 1.5, 2.0))
    amr = load('irnet/amr_resnet50_irnet_1xb16-5e_voc12aug-512px')
    model = MODELS.build(amr.model)
    assert len(model.compensation.amm) == 9
    assert amr.model.spotlight == cfg.model.spotlight and amr.test_cfg == cfg.test_cfg


def test_affinitynet_on_wide_resnet38(monkeypatch):
    monkeypatch.setattr(nn.Conv2d, 'reset_parameters', lambda self: None)
    model = MODELS.build(load('affinitynet/affinitynet_resnet38_1xb8-8e_voc12aug-448px').model)
    assert [conv.in_channels for conv in model.head.levels] == [512, 1024, 4096]
    assert {name.split('.')[1] for name, p in model.backbone.named_parameters(prefix='x') if p.requires_grad} == {
        *('b3', 'b3_1', 'b3_2', 'b4', 'b5', 'b5_1', 'b5_2', 'b6', 'b7'),
        *(f'b4_{i}' for i in range(1, 6)),
    }
