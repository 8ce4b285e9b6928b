"""The whole method: every stage of a pipeline in order."""

import copy
import datetime
import json
import os.path as osp
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from numbers import Number
from typing import Any, TypeVar

from mmengine.config import Config
from mmengine.dist import all_gather_object, broadcast_object_list, get_world_size, init_dist, is_main_process
from mmengine.dist.utils import is_distributed
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from prettytable import PrettyTable

from mmamr.compat import setup_cpu_distributed
from mmamr.registry import RUNNERS
from mmamr.utils import InputError, atomic_write, failure_line

from ..test_time import apply_test_time
from .checkpoints import latest_checkpoint, remove_checkpoints
from .data_root import DataRoot
from .fingerprints import (
    Fingerprint,
    data_root_of,
    dataset_fingerprint,
    file_fingerprint,
    file_names,
    hash_parts,
    path_fingerprint,
)
from .folder_lock import FolderLock
from .manifest import Manifest, clean_folder, versions
from .plan import Decision, changed_inputs, changed_settings
from .process import own_globals, peak_memory, reset_peak_memory, signals_as_exceptions
from .stage import NAME, Stage, leaves, out_dir_of, parse_stages, replace_names, settings_of

Answer = TypeVar('Answer')


class StageError(InputError):
    """A stage could not go on; the message is one line."""


class LastValidation(Hook):
    """Keeps the metrics of the last validation of a training."""

    metrics: dict[str, float] | None = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.metrics = metrics


@RUNNERS.register_module()
class WSSSRunner:
    """Run the stages of a pipeline in order, in this process or in all processes of a launcher.

    A stage is an ordinary config that ``tools/train.py`` or ``tools/test.py`` would run by itself. It works in a folder
    of its own under the work folder of the pipeline. What it needs of an earlier stage is named in its options:
    ``{stage.checkpoint}`` is the last checkpoint of a training, ``{stage.out_dir}`` the folder that a loop filled, and
    ``{stage.work_dir}`` the stage's folder. ::

        runner_type = 'WSSSRunner'
        stages = dict(
            classifier=dict(kind='train', config='amr_….py'),
            cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
            pseudo_label=dict(kind='test', config='cam-label_….py', options={'test_cfg.cam_dir': '{cam.out_dir}'}))

    A child config changes a stage by its name, or leaves it out: ``stages=dict(affinity=None)``.

    A stage is skipped if it is done, its config and inputs are those of that time, and its outputs are still there;
    ``manifest.json`` knows. It may be killed at any moment.

    Args:
        stages (Mapping): Name to the settings of :class:`~mmamr.engine.runner.stage.Stage`, in order; None leaves a
            stage out.
        work_dir (str): Work folder of the pipeline.
        config_dir (str): Where relative config files of stages are looked for. Defaults to ``'.'``.
        options (Mapping, optional): Options for all stages whose config has the setting, e.g.
            ``{'randomness.seed': 1}``. Defaults to None.
        data_root (str, optional): Folder in VOC's layout for the data sets of all stages, in the place of theirs. What
            classes it shows its annotations say, and the models follow; see
            :class:`~mmamr.engine.runner.data_root.DataRoot`. Defaults to None.
        metainfo (Mapping, optional): ``classes`` and ``mask_values`` of ``data_root``, where annotations do not tell.
            Defaults to None.
        labels (Mapping, optional): Label source of the photos in ``data_root``, e.g.
            ``dict(type='CSVLabels', file='labels.csv')``. Defaults to None: that of the configs.
        only_stages (Sequence[str], optional): Names of the stages to run. Defaults to None: all.
        from_stage (str, optional): Name of the first stage to run. Defaults to None.
        resume (bool): Whether a training that was interrupted goes on from its last checkpoint, instead of beginning
            again. Defaults to False.
        launcher (str): mmengine's launcher. Defaults to ``'none'``.
        env_cfg (Mapping, optional): mmengine's, of which ``dist_cfg`` is used. Defaults to None.
        config_file (str, optional): Of the pipeline, for the manifest. Defaults to None.

    Raises:
        InputError: If the stages do not fit together.
    """

    def __init__(
        self,
        stages: Mapping[str, Mapping[str, Any] | None],
        work_dir: str,
        config_dir: str = '.',
        options: Mapping[str, Any] | None = None,
        data_root: str | None = None,
        metainfo: Mapping[str, Sequence] | None = None,
        labels: Mapping[str, Any] | None = None,
        only_stages: Sequence[str] | None = None,
        from_stage: str | None = None,
        resume: bool = False,
        launcher: str = 'none',
        env_cfg: Mapping[str, Any] | None = None,
        config_file: str | None = None,
    ) -> None:
        self.stages = parse_stages(stages, config_dir)
        self.work_dir = work_dir
        self.options = options or {}
        if data_root is None and (metainfo is not None or labels is not None):
            raise InputError('metainfo and labels are those of a data_root, but there is none')
        self.data_root = DataRoot(data_root, metainfo, labels) if data_root is not None else None
        self.selected = self._select(only_stages, from_stage)
        self.resume = resume
        self.launcher = launcher
        self.dist_cfg = dict((env_cfg or {}).get('dist_cfg', dict(backend='nccl')))
        self._configs = {name: stage.load_config(self.options, self.data_root) for name, stage in self.stages.items()}
        self._check_options()
        self.config_file = config_file
        self.manifest = Manifest(work_dir)
        self._lock = FolderLock(work_dir)
        self._fingerprints: dict[str, Fingerprint] = {}

    @classmethod
    def from_cfg(cls, cfg: Config) -> 'WSSSRunner':
        """Build the runner from a pipeline config; ``cfg.filename`` says where the config stands."""
        names = (
            'options',
            'data_root',
            'metainfo',
            'labels',
            'only_stages',
            'from_stage',
            'resume',
            'launcher',
            'env_cfg',
        )
        filename = getattr(cfg, 'filename', None)
        if not cfg.get('stages') or not cfg.get('work_dir'):
            raise InputError('a config for WSSSRunner needs stages and work_dir')
        return cls(
            stages=cfg['stages'],
            work_dir=cfg['work_dir'],
            config_dir=osp.dirname(filename) if filename else '.',
            config_file=filename,
            **{name: cfg[name] for name in names if cfg.get(name) is not None},
        )

    def train(self) -> dict[str, dict[str, float]]:
        """Run the stages that are to be run, and draw the report, also of a run that failed.

        Returns:
            dict[str, dict[str, float]]: Metrics of each stage that is done.

        Raises:
            StageError: If a stage could not go on for a reason that a user can do something about.
            InputError: If another run is at work in the work folder.
            KeyboardInterrupt: If the run was asked to end, by Ctrl-C or SIGTERM.
        """
        self._launch()
        with closing(self._lock), signals_as_exceptions():
            try:
                worked = self._run_stages()
            except Exception:
                self._draw_report()
                raise
            self._draw_report(anew=worked)
        self.logger.info(f'{self.work_dir}:\n{self.summary()}')
        return self._agree(lambda: {name: record.get('metrics', {}) for name, record in self.manifest.stages.items()})

    def _run_stages(self) -> bool:
        """Run what is to be run; returns whether anything was."""
        worked = False
        for stage in self.stages.values():
            decision = self._agree(lambda stage=stage: self._decide_or_raise(stage))
            self.logger.info(str(decision))
            if decision.works:
                self._run(stage, decision)
                self._fingerprints.clear()
                worked = True
        return worked

    def _draw_report(self, anew: bool = True) -> None:
        """Write the report, or only say where it is; a failure to do so is none of the pipeline."""
        if not is_main_process():
            return
        from mmamr.apis.report import REPORT, write_report  # the interface for users stands above the engine

        path = osp.join(self.work_dir, REPORT)
        if not anew and osp.exists(path):
            self.logger.info(f'report: {path}')
            return
        try:
            with own_globals():
                write_report(self.work_dir)
        except Exception as error:
            line = failure_line(error) or f'{type(error).__name__}: {error}'
            self.logger.warning(f'no report: {line}')
        else:
            self.logger.info(f'report: {path}')

    def plan(self) -> list[Decision]:
        """What :meth:`train` would do now; nothing is written."""
        decisions: list[Decision] = []
        for stage in self.stages.values():
            decisions.append(self.decide(stage, {one.stage for one in decisions if one.works}))
        return decisions

    def describe_plan(self) -> str:
        """The plan as a text: stage, what it reads, what it writes, what is already there and what is missing."""
        return '\n'.join(decision.describe() for decision in self.plan())

    def summary(self) -> str:
        """State, time and metrics of the stages as a table."""
        table = PrettyTable(['stage', 'state', 'seconds', 'metrics'], align='l')
        for name in self.stages:
            record = self.manifest.stages.get(name, {})
            metrics = [f'{key} {value:.2f}' for key, value in record.get('metrics', {}).items()]
            shown = [text for text in metrics if 'mIoU' in text] or metrics
            seconds = f'{record.get("seconds", 0):.0f}'
            table.add_row([name, record.get('state', 'not run'), seconds, '\n'.join(shown[:6])])
        return table.get_string()

    def decide(self, stage: Stage, running: set[str] = frozenset()) -> Decision:
        """What is to be done with a stage, and why.

        Args:
            stage (Stage): The stage.
            running (set[str]): Stages that will run before it. Defaults to none.
        """
        decision = Decision(stage.name, stage.kind, stage.config)
        if stage.name not in self.selected:
            return decision
        cfg = self._load(stage)
        settings = settings_of(cfg)
        decision.config_hash = hash_parts([settings])
        for other, what in stage.names():
            self._find_name(decision, other, what, running)
        self._find_outside_files(decision, stage, cfg)
        self._find_images(decision, stage, cfg)
        self._find_outputs(decision, stage, cfg)
        decision.action, decision.reason = self._judge(decision, settings)
        if decision.action == 'resume':
            decision.resume_from = latest_checkpoint(self._folder(stage.name)) if stage.kind == 'train' else None
        return decision

    def _judge(self, decision: Decision, settings: dict[str, str]) -> tuple[str, str]:
        """Action and reason, from what is known now and the record of the stage."""
        record = self.manifest.stages.get(decision.stage)
        if decision.later:
            return 'run', f'{" and ".join(dict.fromkeys(decision.later.values()))} will run before it'
        if record is None:
            return 'run', 'it was not run before'
        if record['config_hash'] != decision.config_hash:
            changes = changed_settings(self._old_settings(decision.stage), settings)
            return 'run', 'its config changed' + (f': {changes}' if changes else '')
        changes = changed_inputs(record['inputs'], decision.inputs)
        if changes:
            return 'run', f'what it reads changed: {", ".join(changes)}'
        action = 'resume' if self.resume else 'run'
        if record['state'] == 'failed':
            return action, f'it failed: {record["error"]}'
        if record['state'] != 'done':
            return action, 'it was interrupted' + (
                '' if self.resume or decision.kind == 'test' else '; it begins again, --resume would go on'
            )
        if changed_inputs(record['outputs'], self._output_fingerprints(decision)):
            return action, 'what it wrote is gone or changed'
        return 'skip', 'it is done, with the same config and inputs'

    def _decide_or_raise(self, stage: Stage) -> Decision:
        decision = self.decide(stage)
        if decision.works and decision.missing:
            name, cure = next(iter(decision.missing.items()))
            raise StageError(f'stage {stage.name} needs {name}: {cure}')
        return decision

    def _select(self, only: Sequence[str] | None, first: str | None) -> list[str]:
        """Names of the stages that are to be run, in order."""
        names = list(self.stages)
        for name in (*(only or ()), *([first] if first else ())):
            if name not in names:
                raise InputError(f'no stage is called {name}; there are {", ".join(names)}')
        names = names[names.index(first) :] if first else names
        return [name for name in names if only is None or name in only]

    def _check_options(self) -> None:
        """Every option for all stages must reach at least one."""
        reached = {key for cfg in self._configs.values() for key in cfg}
        for key in self.options:
            if key.partition('.')[0] not in reached:
                raise InputError(f'options.{key}: no stage has the setting {key.partition(".")[0]}')

    def _options_of(self, stage: Stage, cfg: Config) -> dict[str, Any]:
        """What the pipeline changes in the config of a stage."""
        options = {key: value for key, value in self.options.items() if key.partition('.')[0] in cfg}
        if self.data_root is not None:
            options.update(self.data_root.options())
        if stage.checkpoint is not None:
            options['load_from'] = stage.checkpoint
        return {**options, **stage.options}

    def _folder(self, name: str) -> str:
        return osp.join(self.work_dir, name)

    def _load(self, stage: Stage) -> Config:
        """The config of a stage, to be changed freely."""
        return copy.deepcopy(self._configs[stage.name])

    def _find_name(self, decision: Decision, other: str, what: str, running: set[str]) -> None:
        """Find what another stage made: into ``names`` and ``inputs``, ``missing`` or ``later``."""
        name = f'{other}.{what}'
        if other in running:
            decision.later[name] = other
            return
        if self.manifest.stages.get(other, {}).get('state') != 'done':
            decision.missing[name] = f'stage {other} is not done; run it first'
            return
        if what == 'checkpoint':
            path = latest_checkpoint(self._folder(other))
        elif what == 'out_dir':
            path = out_dir_of(self._load(self.stages[other]), self._folder(other))
        else:
            path = self._folder(other)
        if path is None or not osp.exists(path):
            decision.missing[name] = f'it is gone from {self._folder(other)}; run stage {other} again'
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
        """Find the images of a stage: into ``inputs`` or ``missing``."""
        if decision.later or decision.missing:
            # its labels are not all there yet, but its photographs must be
            root = data_root_of(cfg[stage.dataloader].dataset)
            if root and not osp.isdir(root):
                decision.missing['images'] = f'no folder {root}'
            return
        try:
            decision.inputs['images'] = dataset_fingerprint(self._complete(stage, cfg, decision), stage.dataloader)
        except (InputError, OSError) as error:
            decision.missing['images'] = failure_line(error) or str(error)

    def _find_outputs(self, decision: Decision, stage: Stage, cfg: Config) -> None:
        """Where a stage writes, and what is there."""
        folder = self._folder(stage.name)
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

    def _output_fingerprints(self, decision: Decision) -> dict[str, Fingerprint]:
        """Fingerprints of what a stage has written."""
        paths = dict(decision.outputs)
        paths.pop('metrics', None)
        if 'checkpoint' in paths:
            paths['checkpoint'] = latest_checkpoint(self._folder(decision.stage))
        return {name: self._fingerprint(path) for name, path in paths.items() if path is not None and osp.exists(path)}

    def _fingerprint(self, path: str) -> Fingerprint:
        """Fingerprint of a file or folder, computed once between two stages."""
        if path not in self._fingerprints:
            self._fingerprints[path] = path_fingerprint(path)
        return self._fingerprints[path]

    def _complete(self, stage: Stage, cfg: Config, decision: Decision) -> Config:
        """The config as ``tools/train.py`` or ``tools/test.py`` would run it."""
        own = {f'{stage.name}.work_dir': osp.abspath(self._folder(stage.name))}
        names = {**decision.names, **own}
        cfg = Config(replace_names(cfg._cfg_dict, lambda other, what: names[f'{other}.{what}']), filename=cfg.filename)
        if self.data_root is not None:
            self.data_root.leave_out_masks(cfg)
        cfg.work_dir = self._folder(stage.name)
        cfg.launcher = self.launcher
        cfg.experiment_name = stage.name
        cfg.resume = decision.resume_from is not None
        if decision.resume_from is not None:
            cfg.load_from = decision.resume_from
        if stage.kind == 'test':
            apply_test_time(cfg)
        return cfg

    def _launch(self) -> None:
        """Start the processes' communication, the work folder and its log."""
        setup_cpu_distributed({}, self.launcher)
        if self.launcher != 'none' and not is_distributed():
            init_dist(self.launcher, **self.dist_cfg)
        self._agree(self._open_folder)
        self._agree(lambda: self.manifest.describe(self.config_file, list(self.stages)))
        # not by get_instance: a later pipeline in this process has another folder
        self.logger = MMLogger(
            'pipeline', logger_name='mmamr', log_file=osp.join(self.work_dir, 'pipeline.log'), file_mode='a'
        )

    def _open_folder(self) -> None:
        """Keep other runs out of the work folder, and see how the last one left it."""
        self._lock.acquire()
        clean_folder(self.work_dir)
        self.manifest = Manifest(self.work_dir)

    def _agree(self, function: Callable[[], Answer]) -> Answer:
        """What ``function`` returns, or an error that it raises, on the main process, for all processes."""
        answers: list[Any] = [None]
        if is_main_process():
            try:
                answers = [function()]
            except (InputError, OSError) as error:
                answers = [error]
        broadcast_object_list(answers)
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    def _run(self, stage: Stage, decision: Decision) -> None:
        """Run a stage and keep its record."""
        cfg = self._load(stage)
        complete = self._complete(stage, cfg, decision)
        masks = self.data_root.leave_out_masks(copy.deepcopy(cfg)) if self.data_root is not None else None
        if masks is not None:
            self.logger.warning(f'{stage.name}: no folder {masks}: nothing is measured against masks')
        setup_cpu_distributed(complete, self.launcher)
        started = time.time()
        self._agree(lambda: self._begin(stage, cfg, decision))
        reset_peak_memory()
        try:
            with own_globals():
                metrics, details, seed = run_config(complete, stage.kind)
        except KeyboardInterrupt as error:
            self._give_up(stage, started, 'interrupted')
            self.logger.info(f'{stage.name}: interrupted; the same command with --resume goes on')
            raise error
        except Exception as error:
            line = failure_line(error)
            self._give_up(stage, started, 'failed', line or f'{type(error).__name__}: {error}')
            if line is None:
                raise
            raise StageError(f'stage {stage.name}: {line}') from error
        peaks = all_gather_object(peak_memory())
        peak = {device: max(one[device] for one in peaks) for device in peaks[0]}
        self._agree(
            lambda: self._finish(stage, decision, started, details, seed=seed, metrics=metrics, peak_memory_mib=peak)
        )

    def _begin(self, stage: Stage, cfg: Config, decision: Decision) -> None:
        """Write down that a stage runs; a training that begins again loses its old checkpoints."""
        folder = self._folder(stage.name)
        clean_folder(folder)
        if stage.kind == 'train' and decision.resume_from is None:
            # first, so that a run that is killed here never takes them for its own
            self.manifest.forget(stage.name)
            remove_checkpoints(folder)
        with atomic_write(self.manifest.settings_file(stage.name), 'w', encoding='utf-8') as file:
            json.dump(settings_of(cfg), file, indent=2)
        old = self.manifest.stages.get(stage.name, {})
        goes_on = decision.action == 'resume'
        self.manifest.update(
            stage.name,
            state='running',
            kind=stage.kind,
            config=stage.config,
            options=self._options_of(stage, cfg),
            config_hash=decision.config_hash,
            inputs=decision.inputs,
            outputs={},
            seed=None,
            versions=versions(),
            processes=get_world_size(),
            attempts=old.get('attempts', 0) + 1 if goes_on else 1,
            started=datetime.datetime.now().astimezone().isoformat(timespec='seconds'),
            seconds=old.get('seconds', 0) if goes_on else 0,
            metrics={},
            error=None,
        )

    def _finish(self, stage: Stage, decision: Decision, started: float, details: list, **values: Any) -> None:
        """Write down what a stage made."""
        with atomic_write(self.manifest.details_file(stage.name), 'w', encoding='utf-8') as file:
            json.dump(details, file)
        self._fingerprints.clear()
        outputs = self._output_fingerprints(decision)
        if stage.kind == 'train' and not outputs:
            raise StageError(f'stage {stage.name} ended without a checkpoint: its config needs a CheckpointHook')
        self.manifest.update(stage.name, state='done', outputs=outputs, seconds=self._seconds(stage, started), **values)

    def _give_up(self, stage: Stage, started: float, state: str, error: str | None = None) -> None:
        """Write down that a stage did not end well, if the disk still takes it."""
        if is_main_process():
            with suppress(OSError):
                self.manifest.update(stage.name, state=state, error=error, seconds=self._seconds(stage, started))

    def _seconds(self, stage: Stage, started: float) -> float:
        """Time of a stage in this run and in those before that it went on from."""
        return round(self.manifest.stages[stage.name]['seconds'] + time.time() - started, 1)

    def _old_settings(self, name: str) -> dict[str, str]:
        """The settings that a stage was last run with; empty if they are not known."""
        try:
            with open(self.manifest.settings_file(name), encoding='utf-8') as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}


def run_config(cfg: Config, kind: str) -> tuple[dict[str, float], list[dict[str, Any]], int | None]:
    """Run an ordinary config.

    Args:
        cfg (Config): The config, complete.
        kind (str): ``'train'`` or ``'test'``.

    Returns:
        tuple[dict[str, float], list[dict], int]: Metrics, of the last validation after a training; ``details`` of those
        metrics that have some, on the main process; and the seed.
    """
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    if kind == 'test':
        metrics = runner.test()
        loop = runner.test_loop
    else:
        validation = LastValidation()
        runner.register_hook(validation)
        runner.train()
        # one that was killed between its last checkpoint and its last validation has nothing left to train
        metrics = validation.metrics or (runner.val() if cfg.get('val_cfg') is not None else {})
        loop = runner.val_loop
    numbers = {name: float(value) for name, value in (metrics or {}).items() if isinstance(value, Number)}
    evaluated = getattr(getattr(loop, 'evaluator', None), 'metrics', ())
    details = [metric.details for metric in evaluated if getattr(metric, 'details', None)]
    return numbers, details, runner.seed


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
        return isinstance(value, str) and value and '://' not in value and not NAME.search(value)

    if outside(cfg.get('load_from')):
        yield 'load_from', cfg.load_from
    for key, value in leaves(cfg.to_dict()):
        if stage.kind == 'train' and key.startswith('model.') and key.endswith('.checkpoint') and outside(value):
            yield key, value
    for key, value in leaves(stage.options):
        if outside(value) and '/' in value and osp.exists(value):
            yield key, value
