"""Settings of the command line and of configs: what nobody would read is named, not ignored."""

import difflib
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from .checks import SettingError, check_number, did_you_mean

SETTINGS = {
    *inspect.signature(Runner.__init__).parameters,
    'class_heads',
    'compile',
    'custom_imports',
    'data_preprocessor',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'test_time',
} - {'self'}
"""The settings of a config that something reads; what else stands in a config file is a variable of it."""
PIPELINE_ARGUMENTS = (
    'options',
    'data_root',
    'metainfo',
    'labels',
    'masks',
    'only_stages',
    'from_stage',
    'resume',
    'redo',
    'launcher',
    'env_cfg',
)
"""What the config of a pipeline may hand to its runner beside ``stages`` and ``work_dir``."""
PIPELINE_SETTINGS = {
    *PIPELINE_ARGUMENTS,
    'stages',
    'work_dir',
    'runner_type',
    'custom_imports',
    'default_scope',
}
"""Those of the config of a pipeline."""
NOT_NEGATIVE = ('lr', 'weight_decay', 'momentum', 'eps', 'lr_mult', 'decay_mult', 'base_batch_size')
"""Settings of an optimizer that are finite numbers of at least 0."""
CLOSE = 0.85
"""How alike two names must be for one to be taken for the other, misspelt."""


def merge_options(cfg: Config, options: Mapping[str, Any] | None = None) -> None:
    """Put settings into a config, and check it.

    Args:
        cfg (Config): The config of a stage or of a pipeline; it is changed.
        options (Mapping, optional): As ``--cfg-options`` has them, by dotted key. Defaults to None: it is only checked.

    Raises:
        SettingError: If nothing would read an option, or a setting is outside of what it may be; one line names it.
    """
    for key, value in (options or {}).items():
        _check_option(cfg, key)
        try:
            # one by one: in one go mmengine would forget {'a.b': 1} where {'a': {'c': 2}} follows
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError, ValueError, IndexError, AssertionError, AttributeError) as error:
            reason = ' '.join(str(error.args[0]).split()) if error.args else type(error).__name__
            raise SettingError(f'{key}={value}: this option does not fit the config: {reason}') from None
    check_config(cfg)


def check_config(cfg: Config) -> None:
    """Check what can be told of a config before anything is built.

    Raises:
        SettingError: If a setting is misspelt, is no number, or is outside of what it may be.
    """
    pipeline = bool(cfg.get('stages'))
    known = PIPELINE_SETTINGS if pipeline else SETTINGS
    for name in cfg:
        close = [] if name in known or name in SETTINGS else difflib.get_close_matches(name, known, 1, CLOSE)
        if close and close[0] not in cfg:
            raise SettingError(f'{_file(cfg)}: no setting is called {name}; did you mean {close[0]}?')
    for key, value in leaves({name: cfg[name] for name in cfg if name in known}):
        if isinstance(value, float) and math.isnan(value):
            raise SettingError(f'{key} is nan, which is no number; give one')
    if not pipeline:
        _check_loaders(cfg)


def check_training(cfg: Config) -> None:
    """Check the settings that only a training reads.

    Raises:
        SettingError: If it would train nothing, or a number of its optimizer is none that an optimizer can have.
    """
    loop = cfg.get('train_cfg') or {}
    for name in ('max_epochs', 'max_iters', 'val_interval'):
        if name in loop:
            check_number(f'train_cfg.{name}', loop[name], 1, whole=True)
    for key, value in leaves(cfg.get('optim_wrapper') or {}, 'optim_wrapper'):
        if key.rpartition('.')[2] in NOT_NEGATIVE and value is not None:
            check_number(key, value, 0)
        if key.rpartition('.')[2] == 'accumulative_counts':
            check_number(key, value, 1, whole=True)


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


def _check_option(cfg: Config, key: str) -> None:
    """Refuse an option that nothing would read, as far as the config tells."""
    first, _, rest = key.partition('.')
    pipeline = bool(cfg.get('stages'))
    known = PIPELINE_SETTINGS if pipeline else SETTINGS
    if first not in known:
        if first in cfg:
            raise SettingError(
                f'{key}: {first} is a variable of {_file(cfg)}, and what was made of it is made; set that itself, '
                'e.g. train_dataloader.dataset.data_root'
            )
        what = 'the config of a pipeline' if pipeline else 'a config'
        raise SettingError(f'{key}: {what} has no setting {first}{did_you_mean(first, known)}')
    # a dict with a type is checked by its class; in others a name that is almost one of theirs is misspelt
    place: Any = cfg.get(first)
    for part in rest.split('.') if rest else ():
        if isinstance(place, Mapping) and part not in place and 'type' not in place:
            close = difflib.get_close_matches(part, list(map(str, place)), 1, CLOSE)
            if close:
                raise SettingError(f'{key}: there is no {part} (did you mean {close[0]}?)')
        if isinstance(place, Mapping):
            place = place.get(part)
        elif isinstance(place, (list, tuple)) and part.isdigit() and int(part) < len(place):
            place = place[int(part)]
        else:
            place = None


def _check_loaders(cfg: Config) -> None:
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if loader is None:
            continue
        if not isinstance(loader, Mapping):
            raise SettingError(f'{name} must be a dict, but got {loader!r}')
        if loader.get('batch_size') is not None:
            check_number(f'{name}.batch_size', loader['batch_size'], 1, whole=True)
        check_number(f'{name}.num_workers', loader.get('num_workers', 0), 0, whole=True)
        if isinstance(loader.get('batch_sampler'), Mapping) and 'batch_size' in loader['batch_sampler']:
            size = loader['batch_sampler']['batch_size']
            if size is not None:
                check_number(f'{name}.batch_sampler.batch_size', size, 1, whole=True)


def _file(cfg: Config) -> str:
    return getattr(cfg, 'filename', None) or 'the config'
