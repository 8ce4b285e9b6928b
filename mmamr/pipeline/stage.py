"""One stage of a pipeline: its config, and the names by which it reads what earlier stages made."""

import json
import os.path as osp
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine.config import Config, ConfigDict

from mmamr.datasets.data_root import PHOTO_OPTIONS, DataRoot, set_photo_options
from mmamr.registry import LOOPS
from mmamr.utils import InputError, merge_options

from .manifest import STAGE_NAME

KINDS = ('train', 'test')
NAME = re.compile(r'\{(\w+)\.(checkpoint|out_dir|work_dir)\}')
"""``{stage.checkpoint}``, ``{stage.out_dir}`` or ``{stage.work_dir}`` in a setting."""
CONFIG_NAME = re.compile(r'\{(\w+)\.config\}')


@dataclass
class Stage:
    """One stage of a pipeline.

    Args:
        name (str): Its name in the pipeline.
        kind (str): ``'train'`` or ``'test'``: which of ``tools/train.py`` and ``tools/test.py`` would run it.
        config (str): Path of its config.
        checkpoint (str, optional): Checkpoint to load, usually ``'{stage.checkpoint}'``. Defaults to None.
        options (dict): Settings of its config that the pipeline changes, dotted or nested as in ``--cfg-options``;
            texts may hold names of what earlier stages made. A dict of another ``type`` takes the place of the
            config's, whose settings would not fit it. Defaults to none.
    """

    name: str
    kind: str
    config: str
    checkpoint: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def dataloader(self) -> str:
        """The data loader whose images the stage reads."""
        return f'{self.kind}_dataloader'

    def dataloaders(self, cfg: Config) -> list[str]:
        """All data loaders that the stage with this config reads."""
        validates = self.kind == 'train' and cfg.get('val_cfg') is not None and cfg.get('val_dataloader') is not None
        return [self.dataloader, *(['val_dataloader'] if validates else [])]

    def names(self) -> list[tuple[str, str]]:
        """What the stage needs of other stages: pairs of stage and ``checkpoint``, ``out_dir`` or ``work_dir``."""
        found = NAME.findall(json.dumps([self.checkpoint, self.options], default=str))
        return [pair for pair in dict.fromkeys(found) if pair[0] != self.name]

    def load_config(self, common: Mapping[str, Any], data_root: DataRoot | None) -> Config:
        """The stage's config with all options, the names in them not yet replaced.

        Args:
            common (Mapping): Options of all stages; those whose first key the config does not have are left out.
                ``max_long_side`` and ``rotate_masks`` are settings of all data sets.
            data_root (DataRoot, optional): The folder for all data sets. None: those of the config.

        Raises:
            InputError: If there is no such config file, or it does not fit the stage.
        """
        if not osp.isfile(self.config):
            raise InputError(f'stage {self.name}: no config file {self.config}')
        cfg = Config.fromfile(self.config)
        names = [key for key in common if key.partition('.')[0] in cfg and key not in PHOTO_OPTIONS]
        options = {key: common[key] for key in names}
        try:
            merge_options(cfg, options)
            merge_options(cfg, {key: replacing(cfg, key, value) for key, value in self.options.items()})
        except InputError as error:
            raise InputError(f'stage {self.name}: {error} ({self.config})') from None
        if not cfg.get(self.dataloader):
            raise InputError(f'stage {self.name} needs a {self.dataloader}, but {self.config} has none')
        set_photo_options(cfg, {key: common[key] for key in PHOTO_OPTIONS if key in common})
        if data_root is not None:
            try:
                data_root.apply(cfg)
            except InputError as error:
                raise InputError(f'stage {self.name}: {error}') from None
        if self.checkpoint is not None:
            cfg.load_from = self.checkpoint
        if self.kind == 'train':
            checkpoint_hook = (cfg.get('default_hooks') or {}).get('checkpoint')
            if checkpoint_hook and checkpoint_hook.get('max_keep_ckpts') == 1:
                # mmengine removes the old checkpoint before it writes the new one; a kill in between would leave none
                checkpoint_hook.max_keep_ckpts = 2
        return cfg


def replacing(cfg: Config, key: str, value: Any) -> Any:
    """An option of a stage; a dict of another ``type`` than the config's is marked to take its place."""
    if not isinstance(value, Mapping) or 'type' not in value:
        return value
    node: Any = cfg.to_dict()
    for part in key.split('.'):
        node = node.get(part) if isinstance(node, Mapping) else None
    changes = isinstance(node, Mapping) and 'type' in node and node['type'] != value['type']
    return {**value, '_delete_': True} if changes else value


def parse_stages(stages: Mapping[str, Mapping[str, Any] | None], folder: str) -> dict[str, Stage]:
    """The stages of a pipeline config, in the order of the config, but each after those that it names.

    So a child config, whose own stages come last, can put one in front of others.

    Args:
        stages (Mapping): Name to the settings of :class:`Stage`; None leaves a stage out.
        folder (str): Where the pipeline config stands; relative config files are looked for there.

    Raises:
        InputError: If a stage is not complete, or names what no other stage makes.
    """
    if not isinstance(stages, Mapping):
        raise InputError(f'stages must be a dict of stages by name, but got {stages!r}')
    for name, values in stages.items():
        if values is not None and not isinstance(values, Mapping):
            raise InputError(f'stage {name} must be a dict with kind and config, but got {values!r}')
    settings = {name: ConfigDict(values).to_dict() for name, values in stages.items() if values is not None}
    if not settings:
        raise InputError('the pipeline has no stages')
    for name in settings:
        check_stage_name(name)
    parsed: dict[str, Stage] = {}
    waiting: list[str] = []

    def parse(name: str, wanted_by: str) -> Stage:
        if name not in settings:
            raise InputError(
                f'stage {wanted_by} names {name}, but there is no such stage; there are {", ".join(settings)}'
            )
        if name in waiting:
            raise InputError(f'stages {" and ".join(waiting)} wait for each other')
        if name not in parsed:
            waiting.append(name)
            parsed[name] = _parse_stage(name, settings[name], folder, parse)
            waiting.pop()
        return parsed[name]

    for name in settings:
        parse(name, name)
    return parsed


def check_stage_name(name: Any) -> None:
    """Refuse what cannot be the name of a work folder and of a reference.

    Raises:
        InputError: Names it.
    """
    if not isinstance(name, str) or not STAGE_NAME.fullmatch(name):
        raise InputError(f'{name!r} is no name of a stage: letters, digits and _ make one, as it names a folder')


def _parse_stage(name: str, settings: dict[str, Any], folder: str, parse: Callable[[str, str], Stage]) -> Stage:
    """A stage; ``parse`` gives another stage, wanted by this one."""
    unknown = sorted(set(settings) - {'kind', 'config', 'checkpoint', 'options'})
    if unknown:
        raise InputError(
            f'stage {name}: {unknown[0]} is none of kind, config, checkpoint and options; settings of its '
            'config belong into options'
        )
    if settings.get('kind') not in KINDS or not isinstance(settings.get('config'), str):
        raise InputError(f"stage {name} needs config='<file>' and kind='train' or kind='test'")
    for key, kind in (('checkpoint', str), ('options', dict)):
        if settings.get(key) is not None and not isinstance(settings[key], kind):
            raise InputError(f'stage {name}: {key} must be a {kind.__name__}, but got {settings[key]!r}')
    match = CONFIG_NAME.fullmatch(settings['config'])
    config = parse(match[1], name).config if match else osp.normpath(osp.join(folder, settings['config']))
    stage = Stage(name, settings['kind'], config, settings.get('checkpoint'), settings.get('options') or {})
    for other, what in stage.names():
        if parse(other, name).kind != 'train' and what == 'checkpoint':
            raise InputError(f'stage {name} names {{{other}.checkpoint}}, but {other} trains nothing')
    return stage


def out_dir_of(cfg: Config, work_dir: str) -> str | None:
    """The folder that a test stage fills with one file an image; None where its loop writes no files."""
    settings = cfg.get('test_cfg') or {}
    loop = LOOPS.get(settings.get('type', 'TestLoop'))
    if not hasattr(loop, 'default_out_dir'):
        return None
    return settings.get('out_dir') or loop.default_out_dir(work_dir)


def replace_names(value: Any, lookup: Callable[[str, str], str | None]) -> Any:
    """A setting in which names such as ``{cam.out_dir}`` are replaced.

    Args:
        value (Any): A text, or a dict, list or tuple of settings.
        lookup (Callable): What stands for a stage and ``checkpoint``, ``out_dir`` or ``work_dir``; None where the
            stage names no such thing, and the text stays as it is.
    """
    if isinstance(value, str):

        def stands_for(match: re.Match[str]) -> str:
            found = lookup(match[1], match[2])
            return match[0] if found is None else found

        return NAME.sub(stands_for, value)
    kind: Callable[..., Any] = type(value)
    if isinstance(value, Mapping):
        # names of classes are anybody's
        return kind({key: item if key == 'metainfo' else replace_names(item, lookup) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return kind(replace_names(item, lookup) for item in value)
    return value
