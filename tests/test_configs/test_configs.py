"""Every config under ``configs/`` loads, and all that it names can be built.

Experiments are in ``test_experiments.py``; how the stages of a pipeline fit together, in ``test_pipeline_configs.py``.
"""

import copy
import os
from functools import cache
from pathlib import Path
from unittest import mock

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
from mmamr.structures import VOC_CLASSES

CONFIGS = Path(__file__).parents[2] / 'configs'
ALL = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.glob('[!_]*/*.py') if path.parent.name != 'experiments')
BASES = sorted(str(path.relative_to(CONFIGS)) for path in (CONFIGS / '_base_').rglob('*.py'))


@cache
def load(name):
    """A config with the folders that it has by default."""
    with mock.patch.dict(os.environ):
        for variable in [variable for variable in os.environ if variable.startswith('MMAMR_')]:
            del os.environ[variable]
        return Config.fromfile(CONFIGS / name)


ONE_STAGE = [name for name in ALL if 'stages' not in load(name)]
CLASSIFIERS = [name for name in ONE_STAGE if load(name).model.type in ('CAMClassifier', 'AMRClassifier')]
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


def leaves(value, key=''):
    """Settings in nested dicts and lists, each with its dotted key."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        yield key, value
        return
    for name, item in items:
        yield from leaves(item, f'{key}.{name}' if key else str(name))


def number_of_classes(cfg):
    """The classes of the data set that a config measures on, the background not counted."""
    dataset = cfg.test_dataloader.dataset
    if 'Embedded' in dataset.type:
        return len(EMBEDDED_CLASSES)
    return len((dataset.get('metainfo') or {}).get('classes', VOC_CLASSES))


def test_there_are_few():
    assert len(list(CONFIGS.rglob('*.py'))) <= 90


@pytest.mark.parametrize('name', ALL)
def test_loads(name):
    for key, value in leaves(load(name).to_dict()):
        # it stays in a config where there is nothing to delete
        assert '_delete_' not in key.split('.'), key
        if isinstance(value, str) and not value.startswith(str(CONFIGS)):
            # nobody else has these
            assert not value.startswith(('/', '../', '~')), f'{key}={value}'


@pytest.mark.parametrize('name', BASES)
def test_every_base_is_used(name):
    texts = [path.read_text(encoding='utf-8') for path in CONFIGS.rglob('*.py')]
    assert any(f"/{Path(name).name}'" in text for text in texts)


def test_an_ablation_is_three_lines(tmp_path):
    child = tmp_path / 'amr_wo-cps.py'
    child.write_text(
        f"_base_ = '{CONFIGS}/amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'\n"
        '# the method without cross pseudo supervision\n'
        'model = dict(loss_cps=None)\n'
    )
    cfg = Config.fromfile(child)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    assert model.loss_cps is None and model.loss_cls is not None


@pytest.mark.parametrize('name', ONE_STAGE)
def test_class_heads_are_all_that_count_classes(name):
    """A pipeline on other photos gives other numbers of classes to these heads, and to nothing else."""
    cfg = load(name)
    heads = cfg.get('class_heads', {})
    assert set(heads) <= {'foreground', 'background'}
    expected = dict.fromkeys(heads.get('foreground', []), number_of_classes(cfg))
    expected.update(dict.fromkeys(heads.get('background', []), number_of_classes(cfg) + 1))
    settings = leaves(dict(model=cfg.model.to_dict()))
    assert {key.removesuffix('.num_classes'): n for key, n in settings if key.endswith('.num_classes')} == expected


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


@pytest.mark.parametrize('cfg', [name for name in CLASSIFIERS if not name.startswith('seam/')], indirect=True)
def test_classifiers_give_class_maps(cfg):
    """At stride 16, of each branch, for as many classes as the data set has."""
    model = MODELS.build(cfg.model).eval()
    names = ['spotlight', 'compensation'] if cfg.model.type == 'AMRClassifier' else ['spotlight']
    with torch.no_grad():
        maps = model.class_maps(torch.zeros(1, 3, 64, 96))
    size = (1, number_of_classes(cfg), 4, 6)
    assert {name: tuple(value.shape) for name, value in maps.items()} == dict.fromkeys(names, size)
