"""The settings of a stage: which of them matter, how two sets of them differ, and how they are kept as data."""

import json
import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmamr.utils import atomic_write
from mmamr.utils.settings import SETTINGS, leaves

TUPLE = '__tuple__'
WORK_DIR = '{work_dir}'
"""Stands for the work folder of the pipeline in settings that are kept."""
BOTH = (
    'model',
    'default_scope',
    'data_preprocessor',
    'env_cfg',
    'load_from',
    'randomness',
    'model_wrapper_cfg',
    'compile',
)
TRAIN = (
    'train_dataloader',
    'train_cfg',
    'val_dataloader',
    'val_cfg',
    'val_evaluator',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'default_hooks',
    'custom_hooks',
    'find_unused_parameters',
)
TEST = ('test_dataloader', 'test_cfg', 'test_evaluator', 'test_time')
READ = {'train': (*BOTH, *TRAIN), 'test': (*BOTH, *TEST)}
"""The settings that a stage of each kind reads; what else stands in a config is a variable of the config file."""
DICTS = {
    'model',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'optim_wrapper',
    'default_hooks',
    'env_cfg',
    'class_heads',
}
"""The settings that are dicts, or None."""
SCOPES = {None, 'mmamr', 'mmdet', 'mmengine', 'mmpretrain', 'mmseg'}
"""Scopes of settings: mmengine imports the package of another one."""
LOADING = {'num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor'}
"""How the images of a test are loaded, which changes nothing that comes out."""


def relative_paths(value: Any, work_dir: str) -> Any:
    """Settings in which paths in the work folder of a pipeline begin with ``{work_dir}``: it may be moved."""
    return _replace_start(value, osp.abspath(work_dir), WORK_DIR)


def absolute_paths(value: Any, work_dir: str) -> Any:
    """The inverse of :func:`relative_paths`, for where the work folder is now."""
    return _replace_start(value, WORK_DIR, osp.abspath(work_dir))


def _replace_start(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        inside = value == old or value.startswith(old + '/')
        return new + value[len(old) :] if inside else value
    if isinstance(value, Mapping):
        return {key: _replace_start(item, old, new) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_replace_start(item, old, new) for item in value)
    return value


def settings_of(cfg: Config, kind: str, work_dir: str | None = None) -> dict[str, str]:
    """Every setting that matters for what a stage makes, as text by dotted key.

    What a model would start from is no setting of a stage that loads a checkpoint into it.

    Args:
        cfg (Config): Config of the stage.
        kind (str): ``'train'`` or ``'test'``.
        work_dir (str, optional): Work folder of the pipeline, which paths are told from. Defaults to None: they are as
            they stand.
    """
    read = {key: value for key, value in cfg.to_dict().items() if key in READ[kind]}
    if work_dir is not None:
        read = relative_paths(read, work_dir)
    loaded = kind == 'test' and bool(cfg.get('load_from'))

    def matters(key: str) -> bool:
        if kind == 'test' and key.startswith('test_dataloader.') and key.rpartition('.')[2] in LOADING:
            return False
        return key != 'test_cfg.redo' and not (loaded and key.startswith('model.') and '.init_cfg' in key)

    return {key: repr(value) for key, value in leaves(read) if matters(key)}


def changed_settings(old: Mapping[str, str], new: Mapping[str, str], shown: int = 3) -> str:
    """The settings in which two configs differ, in a few words."""
    names = [name for name in [*old, *(name for name in new if name not in old)] if old.get(name) != new.get(name)]
    texts = [f'{name} {old.get(name, "(none)")} -> {new.get(name, "(none)")}' for name in names[:shown]]
    return ', '.join(texts) + (f' and {len(names) - shown} more' if len(names) > shown else '')


def write_settings(path: str, cfg: Config) -> None:
    """Keep the settings of a stage as JSON, from which :func:`read_settings` makes the config again.

    Paths in the work folder of the pipeline, which is that above the folder of the stage, may move with it.
    """
    known = {key: value for key, value in cfg.to_dict().items() if key in SETTINGS}
    known = relative_paths(known, _pipeline_folder(path))
    with atomic_write(path, 'w', encoding='utf-8') as file:
        json.dump(_to_json(known), file, indent=1, default=repr)


def read_settings(path: str) -> Config | None:
    """The config of a stage from :func:`write_settings`; nothing in the file is run.

    Returns:
        Config, optional: None where the file is missing, broken, or holds something else.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = absolute_paths(_from_json(json.load(file)), _pipeline_folder(path))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not all(
        isinstance(value, dict) for key, value in content.items() if key in DICTS and value is not None
    ):
        return None
    if content.get('default_scope') not in SCOPES:
        return None
    try:
        return Config(content)
    except (KeyError, TypeError, ValueError):  # a key that mmengine keeps for itself
        return None


def _pipeline_folder(path: str) -> str:
    """The work folder of the pipeline, of the file with the settings of one of its stages."""
    return osp.dirname(osp.dirname(osp.abspath(path)))


def _to_json(value: Any) -> Any:
    """A setting as JSON has it; a tuple, which mmcv tells from a list, is marked."""
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {TUPLE: [_to_json(item) for item in value]}
    return [_to_json(item) for item in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {TUPLE} and isinstance(value[TUPLE], list):
            return tuple(_from_json(item) for item in value[TUPLE])
        return {key: _from_json(item) for key, item in value.items()}
    return [_from_json(item) for item in value] if isinstance(value, list) else value
