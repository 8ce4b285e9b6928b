"""The settings of a stage: which of them matter, how two sets of them differ, and how they are kept as data."""

import difflib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from mmamr.utils import InputError, atomic_write

TUPLE = '__tuple__'
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
LOADING = {'num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor'}
"""How the images of a test are loaded, which changes nothing that comes out."""
KNOWN = {
    *READ['train'],
    *READ['test'],
    *inspect.signature(Runner.__init__).parameters,
    'class_heads',
    'custom_imports',
}


KNOWN_OF_PIPELINE = {
    'stages',
    'options',
    'data_root',
    'metainfo',
    'labels',
    'only_stages',
    'from_stage',
    'resume',
    'redo',
    'launcher',
    'env_cfg',
    'work_dir',
    'runner_type',
}


def check_names(cfg: Config, options: Iterable[str]) -> None:
    """Refuse options of the command line that nothing would read.

    Args:
        cfg (Config): The config, of a stage or a pipeline.
        options (Iterable[str]): Their dotted keys.

    Raises:
        InputError: If the first part of a key is no setting, or only a variable in the config file: what uses it has
            read it by now.
    """
    if cfg.get('runner_type') not in (None, 'WSSSRunner', 'mmamr.WSSSRunner'):
        return
    known = KNOWN_OF_PIPELINE if 'stages' in cfg else KNOWN | {'data_root', 'metainfo', 'labels'}
    for key in options:
        name = key.partition('.')[0]
        if name in known:
            continue
        if name in cfg:
            reason = f'{name} is a variable of the config file, and what uses it has read it; set that instead'
        else:
            close = difflib.get_close_matches(name, known, 1)
            reason = f'there is no setting {name}' + (f'; did you mean {close[0]}?' if close else '; check its name')
        raise InputError(f'--cfg-options {key}: {reason}')


def leaves(value: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """The settings in nested dicts and lists, each by its dotted key."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, (list, tuple)) and value:
        items = enumerate(value)
    else:
        yield key, value
        return
    for name, item in items:
        yield from leaves(item, f'{key}.{name}' if key else str(name))


def settings_of(cfg: Config, kind: str) -> dict[str, str]:
    """Every setting that matters for what a stage makes, as text by dotted key.

    What a model would start from is no setting of a stage that loads a checkpoint into it.

    Args:
        cfg (Config): Config of the stage.
        kind (str): ``'train'`` or ``'test'``.
    """
    read = {key: value for key, value in cfg.to_dict().items() if key in READ[kind]}
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
    """Keep the settings of a stage as JSON, from which :func:`read_settings` makes the config again."""
    known = {key: value for key, value in cfg.to_dict().items() if key in KNOWN}
    with atomic_write(path, 'w', encoding='utf-8') as file:
        json.dump(_to_json(known), file, indent=1, default=repr)


def read_settings(path: str) -> Config | None:
    """The config of a stage from :func:`write_settings`; nothing in the file is run.

    Returns:
        Config, optional: None where the file is missing or broken.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = _from_json(json.load(file))
    except (OSError, ValueError):
        return None
    return Config(content) if isinstance(content, dict) else None


def _to_json(value: Any) -> Any:
    """A setting as JSON has it; a tuple, which mmcv tells from a list, is marked."""
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {TUPLE: [_to_json(item) for item in value]}
    return [_to_json(item) for item in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {TUPLE}:
            return tuple(_from_json(item) for item in value[TUPLE])
        return {key: _from_json(item) for key, item in value.items()}
    return [_from_json(item) for item in value] if isinstance(value, list) else value
