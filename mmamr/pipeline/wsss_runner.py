"""The whole method: every stage of a pipeline in order."""

import json
import os.path as osp
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any, TypeVar

from mmengine.config import Config
from mmengine.dist import all_gather_object, broadcast_object_list, get_world_size, init_dist, is_main_process
from mmengine.dist.utils import is_distributed
from mmengine.logging import MMLogger
from prettytable import PrettyTable

from mmamr.compat import setup_cpu_distributed
from mmamr.datasets.data_root import check_masks_are_read, leave_out_masks, open_data_root
from mmamr.engine.checkpoints import remove_checkpoints
from mmamr.registry import RUNNERS
from mmamr.utils import (
    WARNINGS_FILE,
    FolderLock,
    InputError,
    atomic_write,
    end_with_launcher,
    failure_line,
    interruptible,
    raise_if_interrupted,
)
from mmamr.utils.settings import PIPELINE_ARGUMENTS

from .decision import Decision
from .manifest import Manifest, clean_folder
from .plan import Planner
from .process import free_memory, held_memory, own_globals, peak_memory, reset_peak_memory
from .report import REPORT, write_report
from .run_stage import quiet_terminal, run_config
from .settings import write_settings
from .stage import Stage, parse_stages

Answer = TypeVar('Answer')


class StageError(InputError):
    """A stage could not go on; the message is one line."""


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
            pseudo_label=dict(kind='test', config='pseudo-label_….py', options={'test_cfg.cam_dir': '{cam.out_dir}'}))

    A child config changes a stage by its name, or leaves it out: ``stages=dict(affinity=None)``.

    A stage is skipped if it is done, its config and inputs are those of that time, and its outputs are still there;
    ``manifest.json`` knows. One that is done, but whose config or inputs have changed, ends the run with one line: it
    is only made again if that was asked for. The run may be killed at any moment.

    Args:
        stages (Mapping): Name to the settings of :class:`~mmamr.pipeline.stage.Stage`, in order; None leaves a
            stage out.
        work_dir (str): Work folder of the pipeline.
        config_dir (str): Where relative config files of stages are looked for. Defaults to ``'.'``.
        options (Mapping, optional): Options for all stages whose config has the setting, e.g.
            ``{'randomness.seed': 1}``. Defaults to None.
        data_root (str, optional): Folder of photos for the data sets of all stages, in the place of theirs; one that is
            not in VOC's layout is laid out into the work folder first. What classes it shows its tags say, and the
            models follow; see :func:`~mmamr.datasets.data_root.open_data_root`. Defaults to None.
        metainfo (Mapping, optional): ``classes`` and ``mask_values`` of ``data_root``, where the tags do not tell.
            Defaults to None.
        labels (Mapping | str, optional): Label source of the photos in ``data_root``, e.g.
            ``dict(type='CSVLabels', file='labels.csv')``, or a format or file of tags. Defaults to None: what is there,
            or that of the configs.
        masks (str, optional): Masks that a person drew or corrected, of photos in ``data_root``; see
            :func:`~mmamr.datasets.data_root.open_data_root`. Defaults to None.
        only_stages (Sequence[str], optional): Names of the stages to run. Defaults to None: all.
        from_stage (str, optional): Name of the first stage to run. Defaults to None.
        resume (bool): Whether a training that was interrupted goes on from its last checkpoint, instead of beginning
            again. Defaults to False.
        redo (bool): Whether stages that are done, but with other settings or inputs, are made again. Defaults to False.
        confirm (Callable, optional): Asked with one line where a stage would be made again, without ``redo``; returns
            the answer. Defaults to None: the answer is no.
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
        labels: Mapping[str, Any] | str | None = None,
        masks: str | None = None,
        only_stages: Sequence[str] | None = None,
        from_stage: str | None = None,
        resume: bool = False,
        redo: bool = False,
        confirm: Callable[[str], bool] | None = None,
        launcher: str = 'none',
        env_cfg: Mapping[str, Any] | None = None,
        config_file: str | None = None,
    ) -> None:
        self.stages = parse_stages(stages, config_dir)
        self.work_dir = work_dir
        if data_root is None and (metainfo is not None or labels is not None or masks is not None):
            raise InputError('metainfo, labels and masks are those of a data_root, but there is none')
        self.confirm = confirm
        self.launcher = launcher
        self.dist_cfg = dict((env_cfg or {}).get('dist_cfg', dict(backend='nccl')))
        self.config_file = config_file
        self._without_masks: set[str] = set()
        self.manifest = Manifest(work_dir)
        self.data_root = open_data_root(data_root, work_dir, metainfo, labels, masks) if data_root is not None else None
        self.planner = Planner(
            self.stages,
            work_dir,
            self.manifest,
            options,
            self.data_root,
            select(self.stages, only_stages, from_stage),
            resume,
            redo,
        )
        if self.data_root is not None and self.data_root.drawn_dir is not None:
            check_masks_are_read(self.planner.config(stage) for stage in self.stages.values())
        self._lock = FolderLock(work_dir)

    @classmethod
    def from_cfg(cls, cfg: Config) -> 'WSSSRunner':
        """Build the runner from a pipeline config; ``cfg.filename`` says where the config stands."""
        filename = getattr(cfg, 'filename', None)
        if not cfg.get('stages') or not cfg.get('work_dir'):
            raise InputError('a config for WSSSRunner needs stages and work_dir')
        return cls(
            stages=cfg['stages'],
            work_dir=cfg['work_dir'],
            config_dir=osp.dirname(filename) if filename else '.',
            config_file=filename,
            **{name: cfg[name] for name in PIPELINE_ARGUMENTS if cfg.get(name) is not None},
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
        with closing(self._lock), interruptible():
            for text in self._layout():
                self._tell(text)
            try:
                worked = self._run_stages()
            except Exception:
                self._draw_report()
                raise
            self._draw_report(anew=worked)
        self._tell(f'{self.work_dir}:\n{self.summary()}')
        return self._agree(lambda: {name: record.get('metrics', {}) for name, record in self.manifest.stages.items()})

    def plan(self) -> list[Decision]:
        """What :meth:`train` would do now; nothing is written."""
        return self.planner.plan()

    def describe_plan(self) -> str:
        """The plan as a text: stage, what it reads, what it writes, what is already there and what is missing."""
        return '\n'.join([*self._layout(), *(decision.describe() for decision in self.plan())])

    def _layout(self) -> list[str]:
        """What was found in a folder of photos that was laid out."""
        layout = self.data_root.layout if self.data_root is not None else None
        return [] if layout is None else [f'{layout.folder}: {layout.text()}']

    def summary(self) -> str:
        """State, time and metrics of the stages as a table."""
        table = PrettyTable(['stage', 'state', 'seconds', 'metrics'], align='l')
        for name in self.stages:
            record = self.manifest.stages.get(name, {})
            shown = shown_metrics(record.get('metrics', {}))
            seconds = f'{record.get("seconds", 0):.0f}'
            table.add_row([name, record.get('state', 'not run'), seconds, '\n'.join(shown[:6])])
        return table.get_string()

    def _run_stages(self) -> bool:
        """Run what is to be run; returns whether anything was."""
        worked = False
        for number, stage in enumerate(self.stages.values(), 1):
            raise_if_interrupted()
            decision = self._agree(partial(self._decide, stage))
            place = f'[{number}/{len(self.stages)}] {stage.name}'
            self.logger.info(str(decision))
            if not decision.works:
                self._tell(f'{place}: {decision.action}, {decision.reason}')
                continue
            self._run(stage, decision)
            self.planner.forget()
            worked = True
            record = self.manifest.stages.get(stage.name, {})
            metrics = ', '.join(shown_metrics(record.get('metrics', {}))[:3])
            self._tell(f'{place}: done in {record.get("seconds", 0):.0f} s' + (f', {metrics}' if metrics else ''))
            for line in self._warnings(stage):
                self._tell(f'  warning: {line}')
        return worked

    def _warnings(self, stage: Stage) -> list[str]:
        """What a stage left for the user to know."""
        with (
            suppress(OSError),
            open(osp.join(self.planner.folder(stage.name), WARNINGS_FILE), encoding='utf-8') as file,
        ):
            return file.read().splitlines()
        return []

    def _decide(self, stage: Stage) -> Decision:
        """What to do with a stage now.

        Raises:
            StageError: If it cannot run, or would be made again unasked.
        """
        decision = self.planner.decide(stage)
        if decision.fails:
            name, cure = next(iter(decision.missing.items()))
            raise StageError(f'stage {stage.name} needs {name}: {cure}')
        if decision.action == 'ask':
            line = f'stage {stage.name} is done, but {decision.reason}'
            if self.confirm is None or not self.confirm(f'{line}. Make it again, and what depends on it?'):
                raise StageError(f'{line}: --redo makes it again, and what depends on it; or name another --work-dir')
            self.planner.redo = True
            decision = self.planner.decide(stage)
        return decision

    def _run(self, stage: Stage, decision: Decision) -> None:
        """Run a stage and keep its record."""
        cfg = self.planner.config(stage)
        complete = self.planner.complete(stage, decision, self.launcher)
        masks = leave_out_masks(self.planner.config(stage)) if self.planner.data_root is not None else None
        if masks is not None and masks not in self._without_masks:
            self._without_masks.add(masks)
            self._tell(f'no folder {masks}: nothing is measured against masks')
        setup_cpu_distributed(complete, self.launcher)
        self._agree(lambda: self._begin(stage, cfg, decision))
        free_memory()
        reset_peak_memory()
        try:
            with own_globals(), quiet_terminal(), interruptible():
                metrics, details, seed = run_config(complete, stage.kind)
        except KeyboardInterrupt as error:
            self._give_up(stage, 'interrupted')
            self._tell(f'{stage.name}: interrupted; the same command with --resume goes on')
            raise error
        except Exception as error:
            line = failure_line(error)
            self._give_up(stage, 'failed', line or f'{type(error).__name__}: {error}')
            if line is None:
                raise
            raise StageError(f'stage {stage.name}: {line}') from error
        peak = _largest(all_gather_object(peak_memory()))
        free_memory()
        memory = dict(peak_memory_mib=peak, held_memory_mib=_largest(all_gather_object(held_memory())))
        self._agree(lambda: self._finish(stage, decision, details, seed=seed, metrics=metrics, **memory))

    def _begin(self, stage: Stage, cfg: Config, decision: Decision) -> None:
        """Write down that a stage runs; a training that begins again loses its old checkpoints."""
        folder = self.planner.folder(stage.name)
        clean_folder(folder)
        if stage.kind == 'train' and decision.resume_from is None:
            # first, so that a run that is killed here never takes them for its own
            self.manifest.forget(stage.name)
            remove_checkpoints(folder)
        write_settings(self.manifest.settings_file(stage.name), cfg)
        self.manifest.begin(
            stage.name,
            decision.action == 'resume',
            kind=stage.kind,
            config=stage.config,
            options=self.planner.options_of(stage),
            config_hash=decision.config_hash,
            inputs=decision.inputs,
            processes=get_world_size(),
        )

    def _finish(self, stage: Stage, decision: Decision, details: list, **values: Any) -> None:
        """Write down what a stage made."""
        with atomic_write(self.manifest.details_file(stage.name), 'w', encoding='utf-8') as file:
            json.dump(details, file)
        self.planner.forget()
        outputs = self.planner.output_fingerprints(decision)
        if stage.kind == 'train' and not outputs:
            raise StageError(f'stage {stage.name} ended without a checkpoint: its config needs a CheckpointHook')
        self.manifest.end(stage.name, 'done', outputs=outputs, **values)

    def _give_up(self, stage: Stage, state: str, error: str | None = None) -> None:
        """Write down that a stage did not end well, if the disk still takes it."""
        if is_main_process():
            with suppress(OSError):
                self.manifest.end(stage.name, state, error=error)

    def _draw_report(self, anew: bool = True) -> None:
        """Write the report, or only say where it is; a failure to do so is none of the pipeline."""
        if not is_main_process():
            return
        path = osp.join(self.work_dir, REPORT)
        if anew or not osp.exists(path):
            try:
                with own_globals(), quiet_terminal():
                    write_report(self.work_dir)
            except Exception as error:
                line = failure_line(error) or f'{type(error).__name__}: {error}'
                self._tell(f'no report: {line}')
                return
        self._tell(f'report: {path}')

    def _launch(self) -> None:
        """Start the processes' communication, the work folder and its log."""
        if self.launcher != 'none':
            end_with_launcher()
        setup_cpu_distributed({}, self.launcher)
        if self.launcher != 'none' and not is_distributed():
            init_dist(self.launcher, **self.dist_cfg)
        self._agree(self._open_folder)
        self._agree(lambda: self.manifest.describe(self.config_file, list(self.stages)))
        # not by get_instance: a later pipeline in this process has another folder
        with quiet_terminal():
            self.logger = MMLogger(
                'pipeline', logger_name='mmamr', log_file=osp.join(self.work_dir, 'pipeline.log'), file_mode='a'
            )

    def _open_folder(self) -> None:
        """Keep other runs out of the work folder, and see how the last one left it."""
        self._lock.acquire()
        clean_folder(self.work_dir)
        self.manifest = self.planner.manifest = Manifest(self.work_dir)

    def _tell(self, text: str) -> None:
        """Say something on the terminal of the main process and in the log of the pipeline."""
        self.logger.info(text)
        if is_main_process():
            print(text, flush=True)

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


def select(stages: Mapping[str, Stage], only: Sequence[str] | None, first: str | None) -> list[str]:
    """Names of the stages that are to be run, in order.

    Raises:
        InputError: If there is no stage of a name.
    """
    names = list(stages)
    for name in (*(only or ()), *([first] if first else ())):
        if name not in names:
            raise InputError(f'no stage is called {name}; there are {", ".join(names)}')
    names = names[names.index(first) :] if first else names
    return [name for name in names if only is None or name in only]


def shown_metrics(metrics: Mapping[str, float]) -> list[str]:
    """The metrics of a stage as short texts: every mIoU, or all where there is none."""
    texts = [f'{key} {value:.2f}' for key, value in metrics.items()]
    return [text for text in texts if 'mIoU' in text] or texts


def _largest(of_processes: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The largest memory of all processes for each device."""
    return {device: max(one[device] for one in of_processes) for device in of_processes[0]}
