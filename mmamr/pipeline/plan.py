"""What will be done with each stage of a pipeline, and why; nothing is written."""

import copy
import os.path as osp
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mmamr.datasets.data_root import PHOTO_OPTIONS, DataRoot, leave_out_masks, missing_lists
from mmamr.engine import apply_test_time, latest_checkpoint
from mmamr.utils import InputError, failure_line

from .decision import Decision, changed_inputs
from .fingerprints import (
    Fingerprint,
    data_root_of,
    dataset_fingerprint,
    file_fingerprint,
    file_names,
    hash_parts,
    path_fingerprint,
)
from .manifest import Manifest
from .settings import changed_settings, leaves, read_settings, settings_of
from .stage import NAME, Stage, out_dir_of, replace_names


class Planner:
    """Decides what is to be done with the stages of a pipeline.

    A stage is skipped if it is done, its settings and inputs are those of that time, and its outputs are still there.
    A stage that is done, but whose settings or inputs have changed, is only made again with ``redo``.

    Args:
        stages (Mapping[str, Stage]): The stages by name, in order.
        work_dir (str): Work folder of the pipeline.
        manifest (Manifest): What is known of the stages so far.
        options (Mapping, optional): Options for all stages whose config has the setting. Defaults to None.
        data_root (DataRoot, optional): The folder for the data sets of all stages. Defaults to None.
        selected (Iterable[str], optional): Names of the stages that are to be run. Defaults to None: all.
        resume (bool): Whether a training that was interrupted goes on from its last checkpoint. Defaults to False.
        redo (bool): Whether what is done, but with other settings or inputs, is made again. Defaults to False.

    Raises:
        InputError: If a config is missing or does not fit its stage.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        work_dir: str,
        manifest: Manifest,
        options: Mapping[str, Any] | None = None,
        data_root: DataRoot | None = None,
        selected: Iterable[str] | None = None,
        resume: bool = False,
        redo: bool = False,
    ) -> None:
        self.stages = dict(stages)
        self.work_dir = work_dir
        self.manifest = manifest
        self.options = dict(options or {})
        self.data_root = data_root
        self.selected = list(self.stages if selected is None else selected)
        self.resume = resume
        self.redo = redo
        self._configs = {name: stage.load_config(self.options, data_root) for name, stage in self.stages.items()}
        self._check_options()
        self._fingerprints: dict[str, Fingerprint] = {}

    def plan(self) -> list[Decision]:
        """What would be done now, one decision a stage."""
        decisions: list[Decision] = []
        for stage in self.stages.values():
            decisions.append(self.decide(stage, {one.stage for one in decisions if one.works}))
        return decisions

    def describe(self) -> str:
        """The plan as a text: stage, what it reads, what it writes, what is already there and what is missing."""
        return '\n'.join(decision.describe() for decision in self.plan())

    def decide(self, stage: Stage, running: Iterable[str] = ()) -> Decision:
        """What is to be done with a stage, and why.

        Args:
            stage (Stage): The stage.
            running (Iterable[str]): Names of the stages that will run before it. Defaults to none.
        """
        decision = Decision(stage.name, stage.kind, stage.config)
        if stage.name not in self.selected:
            return decision
        cfg = self.config(stage)
        decision.settings = settings_of(cfg, stage.kind, self.work_dir)
        decision.config_hash = hash_parts([decision.settings])
        for other, what in stage.names():
            self._find_name(decision, other, what, set(running))
        self._find_outside_files(decision, stage, cfg)
        self._find_images(decision, stage, cfg)
        self._find_outputs(decision, stage, cfg)
        decision.action, decision.reason = self._judge(decision)
        if decision.action == 'resume' and stage.kind == 'train':
            decision.resume_from = latest_checkpoint(self.folder(stage.name))
        return decision

    def complete(self, stage: Stage, decision: Decision, launcher: str = 'none') -> Config:
        """The config of a stage as ``tools/train.py`` or ``tools/test.py`` would run it.

        Args:
            stage (Stage): The stage.
            decision (Decision): What is to be done with it.
            launcher (str): mmengine's launcher. Defaults to ``'none'``.
        """
        return self._complete(stage, self.config(stage), decision, launcher)

    def config(self, stage: Stage) -> Config:
        """The config of a stage with its options, names of other stages not yet replaced; to be changed freely."""
        return copy.deepcopy(self._configs[stage.name])

    def options_of(self, stage: Stage) -> dict[str, Any]:
        """What the pipeline changes in the config of a stage."""
        cfg = self._configs[stage.name]
        reached = {*cfg, *PHOTO_OPTIONS}
        options = {key: value for key, value in self.options.items() if key.partition('.')[0] in reached}
        if self.data_root is not None:
            options.update(self.data_root.options())
        if stage.checkpoint is not None:
            options['load_from'] = stage.checkpoint
        return {**options, **stage.options}

    def folder(self, name: str) -> str:
        """Work folder of a stage."""
        return osp.join(self.work_dir, name)

    def output_fingerprints(self, decision: Decision) -> dict[str, Fingerprint]:
        """Fingerprints of what a stage has written."""
        paths: dict[str, str | None] = dict(decision.outputs)
        paths.pop('metrics', None)
        if 'checkpoint' in paths:
            paths['checkpoint'] = latest_checkpoint(self.folder(decision.stage))
        return {name: self._fingerprint(path) for name, path in paths.items() if path is not None and osp.exists(path)}

    def forget(self) -> None:
        """Look at the files again: a stage has run."""
        self._fingerprints.clear()

    def _check_options(self) -> None:
        """Every option for all stages must reach at least one."""
        reached = {key for cfg in self._configs.values() for key in cfg} | set(PHOTO_OPTIONS)
        for key in self.options:
            if key.partition('.')[0] not in reached:
                raise InputError(f'options.{key}: no stage has the setting {key.partition(".")[0]}')

    def _judge(self, decision: Decision) -> tuple[str, str]:
        """Action and reason, from what is known now and the record of the stage."""
        record = self.manifest.stages.get(decision.stage)
        if decision.later:
            return 'run', f'{" and ".join(dict.fromkeys(decision.later.values()))} will run before it'
        if record is None:
            return 'run', 'it was not run before'
        gone = bool(changed_inputs(record['outputs'], self.output_fingerprints(decision)))
        change = self._change(decision, record)
        if change:
            if record['state'] == 'done' and not gone and not self.redo:
                return 'ask', change
            return 'run', change
        action = 'resume' if self.resume else 'run'
        if record['state'] == 'failed':
            return action, f'it failed: {record["error"]}'
        if record['state'] != 'done':
            goes_on = self.resume or decision.kind == 'test'
            return action, 'it was interrupted' + ('' if goes_on else '; it begins again, --resume would go on')
        return (
            (action, 'what it wrote is gone or changed')
            if gone
            else ('skip', 'it is done, with the same config and inputs')
        )

    def _change(self, decision: Decision, record: Mapping[str, Any]) -> str:
        """What changed since a stage was run, in a few words; empty if nothing did."""
        if record['config_hash'] != decision.config_hash:
            old = read_settings(self.manifest.settings_file(decision.stage))
            before = {} if old is None else settings_of(old, decision.kind, self.work_dir)
            changes = changed_settings(before, decision.settings) if before else ''
            # a former version kept paths in the work folder as they stood
            former = old is not None and record['config_hash'] == hash_parts([settings_of(old, decision.kind)])
            if changes or not former:
                return 'its config changed' + (f': {changes}' if changes else '')
        changed = changed_inputs(record['inputs'], decision.inputs)
        return f'what it reads changed: {", ".join(changed)}' if changed else ''

    def _find_name(self, decision: Decision, other: str, what: str, running: set[str]) -> None:
        """Find what another stage made: into ``names`` and ``inputs``, ``missing`` or ``later``."""
        name = f'{other}.{what}'
        if other in running:
            decision.later[name] = other
            return
        if self.manifest.stages.get(other, {}).get('state') != 'done':
            decision.missing[name] = f'stage {other} is not done; run it first'
            return
        path: str | None = self.folder(other)
        if what == 'checkpoint':
            path = latest_checkpoint(self.folder(other))
        elif what == 'out_dir':
            path = out_dir_of(self._configs[other], self.folder(other))
        if path is None or not osp.exists(path):
            decision.missing[name] = f'it is gone from {self.folder(other)}; run stage {other} again'
            return
        # absolute: some data sets would look for it under their data_root
        decision.names[name] = osp.abspath(path)
        if what != 'work_dir':
            decision.inputs[name] = self._fingerprint(path)

    def _find_outside_files(self, decision: Decision, stage: Stage, cfg: Config) -> None:
        """Find what a stage reads from outside the pipeline: into ``inputs`` or ``missing``."""
        for name, path in outside_files(stage, cfg):
            if not osp.exists(path):
                decision.missing[name] = f'no file {path}'
            else:
                decision.inputs[name] = file_fingerprint(path) if osp.isfile(path) else self._fingerprint(path)

    def _find_images(self, decision: Decision, stage: Stage, cfg: Config) -> None:
        """Find the images of a stage, and all its lists: into ``inputs`` or ``missing``."""
        for path, cure in missing_lists(cfg, stage.dataloaders(cfg)).items():
            name = f'images of {osp.basename(path)}' if 'images' in decision.missing else 'images'
            decision.missing[name] = f'{path}: no such list of images; {cure}'
        if decision.later or decision.missing:
            # its labels are not all there yet, but its photographs must be
            root = data_root_of(cfg[stage.dataloader].dataset)
            if root and not osp.isdir(root):
                decision.missing.setdefault('images', f'no folder {root}')
            return
        try:
            complete = self._complete(stage, cfg, decision)
            key = f'{complete.get("default_scope")} {complete[stage.dataloader].dataset}'
            if key not in self._fingerprints:
                self._fingerprints[key] = dataset_fingerprint(complete, stage.dataloader)
            decision.inputs['images'] = self._fingerprints[key]
        except (InputError, OSError) as error:
            decision.missing['images'] = failure_line(error) or str(error)

    def _find_outputs(self, decision: Decision, stage: Stage, cfg: Config) -> None:
        """Where a stage writes, and what is there."""
        folder = self.folder(stage.name)
        if stage.kind == 'train':
            decision.outputs['checkpoint'] = osp.join(folder, last_checkpoint_name(cfg))
            path = latest_checkpoint(folder)
            if path is not None:
                decision.present['checkpoint'] = f'{osp.basename(path)} is there'
            return
        out_dir = out_dir_of(cfg, folder)
        if out_dir is None:
            decision.outputs['metrics'] = self.manifest.path
            if self.manifest.stages.get(stage.name, {}).get('metrics'):
                decision.present['metrics'] = 'there'
            return
        decision.outputs['out_dir'] = out_dir
        if osp.isdir(out_dir):
            decision.present['out_dir'] = f'{len(file_names(out_dir))} files are there'

    def _fingerprint(self, path: str) -> Fingerprint:
        """Fingerprint of a file or folder, computed once between two stages."""
        if path not in self._fingerprints:
            self._fingerprints[path] = path_fingerprint(path)
        return self._fingerprints[path]

    def _complete(self, stage: Stage, cfg: Config, decision: Decision, launcher: str = 'none') -> Config:
        own = {f'{stage.name}.work_dir': osp.abspath(self.folder(stage.name))}
        names = {**decision.names, **own}
        cfg = Config(
            replace_names(cfg._cfg_dict, lambda other, what: names.get(f'{other}.{what}')),
            filename=cfg.filename,
        )
        if self.data_root is not None:
            leave_out_masks(cfg)
        cfg.work_dir = self.folder(stage.name)
        cfg.launcher = launcher
        cfg.experiment_name = stage.name
        cfg.resume = decision.resume_from is not None
        if decision.resume_from is not None:
            cfg.load_from = decision.resume_from
        if stage.kind == 'test':
            if self.redo and out_dir_of(cfg, cfg.work_dir) is not None:
                cfg.test_cfg.redo = True
            apply_test_time(cfg)
        return cfg


def last_checkpoint_name(cfg: Config) -> str:
    """The name that mmengine gives to the last checkpoint of a training."""
    loop = cfg.get('train_cfg') or {}
    return f'epoch_{loop["max_epochs"]}.pth' if 'max_epochs' in loop else f'iter_{loop.get("max_iters", "*")}.pth'


def outside_files(stage: Stage, cfg: Config) -> Iterator[tuple[str, str]]:
    """Files and folders outside the pipeline that a stage reads: key and path.

    Those are the checkpoint that it loads, pretrained weights of its model, and whatever its options name that is
    there.
    """

    def outside(value: Any) -> bool:
        return isinstance(value, str) and value != '' and '://' not in value and not NAME.search(value)

    if outside(cfg.get('load_from')):
        yield 'load_from', cfg.load_from
    for key, value in leaves(cfg.to_dict()):
        if stage.kind == 'train' and key.startswith('model.') and key.endswith('.checkpoint') and outside(value):
            yield key, value
    for key, value in leaves(stage.options):
        if outside(value) and '/' in value and osp.exists(value):
            yield key, value
