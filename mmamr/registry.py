"""Registries of mmamr: children of mmengine's roots, scope ``mmamr``.

``locations`` name the packages that are imported when a registry is first asked for something, so that nothing heavy is
imported by ``import mmamr`` itself.
"""
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry

__all__ = [
    'RUNNERS',
    'LOOPS',
    'HOOKS',
    'OPTIM_WRAPPERS',
    'DATASETS',
    'DATA_SAMPLERS',
    'TRANSFORMS',
    'MODELS',
    'METRICS',
    'VISUALIZERS',
    'TASK_UTILS',
]

RUNNERS = Registry('runner', parent=MMENGINE_RUNNERS, scope='mmamr', locations=['mmamr.engine'])
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, scope='mmamr', locations=['mmamr.engine'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmamr', locations=['mmamr.engine'])
OPTIM_WRAPPERS = Registry('optimizer wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='mmamr', locations=['mmamr.engine'])
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='mmamr', locations=['mmamr.datasets'])
DATA_SAMPLERS = Registry('data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='mmamr', locations=['mmamr.datasets'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='mmamr', locations=['mmamr.datasets'])
MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmamr', locations=['mmamr.models'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='mmamr', locations=['mmamr.evaluation'])
VISUALIZERS = Registry('visualizer', parent=MMENGINE_VISUALIZERS, scope='mmamr', locations=['mmamr.visualization'])
TASK_UTILS = Registry('task util', parent=MMENGINE_TASK_UTILS, scope='mmamr', locations=['mmamr.datasets'])
