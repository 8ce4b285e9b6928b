"""Every config under ``configs/`` loads, and all that it names can be built."""

import copy
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    FUNCTIONS,
    HOOKS,
    LOOPS,
    METRICS,
    MODELS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    DefaultScope,
)
from mmengine.visualization import Visualizer
from mmpretrain.structures import DataSample
from torch import nn

from mmamr.datasets.embedded import CLASSES as EMBEDDED_CLASSES
from mmamr.datasets.voc import VOC_CLASSES

CONFIGS = Path(__file__).parents[2] / 'configs'
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.glob('[!_]*/*.py'))


@cache
def load(name):
    return Config.fromfile(CONFIGS / name)


ONE_STAGE = [name for name in ALL if not {'stages', 'runs'} & set(load(name))]
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
DEFAULT_LOOPS = dict(val='ValLoop', test='TestLoop')


@pytest.fixture(autouse=True)
def uninitialized_weights(monkeypatch):
    """Nothing depends on the numbers, and drawing them takes most of the time."""
    for layer in (nn.Conv2d, nn.Linear):
        monkeypatch.setattr(layer, 'reset_parameters', lambda self: None)


@pytest.fixture
def cfg(request):
    cfg = copy.deepcopy(load(request.param))
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        yield cfg


def as_list(cfg):
    return [] if cfg is None else cfg if isinstance(cfg, (list, tuple)) else [cfg]


def find(registry, name):
    """What a name means in the scope of the config."""
    with registry.switch_scope_and_registry(None) as scoped:
        found = scoped.get(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize('name', ALL)
def test_loads(name):
    text = str(load(name).to_dict()).replace(str(CONFIGS.parent), '')
    # nobody else has these
    assert '/home/' not in text and '/tmp/' not in text


@pytest.mark.parametrize('cfg', ONE_STAGE, indirect=True)
def test_model_and_optimizer_build(cfg):
    model = MODELS.build(cfg.model)
    if 'train_cfg' in cfg and cfg.get('optim_wrapper') is not None and cfg.model.type != 'NoModel':
        trained = {id(p) for p in model.parameters() if p.requires_grad}
        assert trained
        groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
        assert trained <= {id(p) for group in groups for p in group['params']}


@pytest.mark.parametrize('cfg', ONE_STAGE, indirect=True)
def test_data_and_metrics_build(cfg):
    for loader in filter(None, (cfg.get(name) for name in LOADERS)):
        find(DATASETS, loader.dataset.type)
        find(DATA_SAMPLERS, loader.sampler.type)
        if 'batch_sampler' in loader:
            find(DATA_SAMPLERS, loader.batch_sampler.type)
        if 'collate_fn' in loader:
            find(FUNCTIONS, loader.collate_fn.type)
        for step in loader.dataset.pipeline:
            assert repr(TRANSFORMS.build(step))
    for evaluator in (*as_list(cfg.get('val_evaluator')), *as_list(cfg.get('test_evaluator'))):
        METRICS.build(evaluator)


@pytest.mark.parametrize('cfg', ONE_STAGE, indirect=True)
def test_loops_hooks_and_schedules_are_known(cfg):
    if cfg.get('train_cfg') is not None:
        by_epoch = cfg.train_cfg.get('by_epoch', True)
        loop = cfg.train_cfg.get('type', 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop')
        find(LOOPS, loop)
        for scheduler in as_list(cfg.get('param_scheduler')):
            find(PARAM_SCHEDULERS, scheduler.type)
        # resumed, it draws the same random numbers
        assert cfg.default_hooks.randomness.type.endswith('ResumableRandomnessHook') and cfg.randomness.seed == 0
    for stage, default in DEFAULT_LOOPS.items():
        # all three or none, or the runner refuses them
        settings = [cfg.get(f'{stage}_{part}') is not None for part in ('cfg', 'dataloader', 'evaluator')]
        assert len(set(settings)) == 1, stage
        if settings[0]:
            find(LOOPS, cfg[f'{stage}_cfg'].get('type', default))
    Visualizer.get_instance('test_configs')  # hooks that draw look for one
    for hook in (*cfg.get('default_hooks', {}).values(), *cfg.get('custom_hooks', [])):
        HOOKS.build(hook)
    find(VISUALIZERS, cfg.visualizer.type)
    for backend in cfg.visualizer.get('vis_backends', []):
        find(VISBACKENDS, backend.type)


@pytest.mark.parametrize(
    'cfg', [name for name in ONE_STAGE if load(name).get('model', {}).type == 'AMRClassifier'], indirect=True
)
def test_amr_trains_in_several_processes(cfg):
    """A distributed wrapper waits for the gradient of every parameter that moves, unless it is told not to."""
    model = MODELS.build(cfg.model)
    samples = [DataSample().set_gt_label(torch.tensor([0])) for _ in range(2)]
    model.parse_losses(model(torch.zeros(2, 3, 64, 96), samples, mode='loss'))[0].backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert bool(without) == cfg.get('find_unused_parameters', False), without


@pytest.mark.parametrize(
    'cfg', [name for name in ONE_STAGE if name.startswith('amr/') and '-label' not in name], indirect=True
)
def test_classifiers_give_class_maps(cfg):
    """At stride 16, of each branch, for as many classes as the data set has."""
    model = MODELS.build(cfg.model).eval()
    names = ['spotlight', 'compensation'] if cfg.model.type == 'AMRClassifier' else ['spotlight']
    with torch.no_grad():
        maps = model.class_maps(torch.zeros(1, 3, 64, 96))
    dataset = cfg.test_dataloader.dataset
    if dataset.type == 'EmbeddedDataset':
        classes = EMBEDDED_CLASSES
    else:
        classes = dataset.get('metainfo', {}).get('classes', VOC_CLASSES)
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        name: (1, len(classes), 4, 6) for name in names
    }
