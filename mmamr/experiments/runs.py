"""What an experiment runs with one seed, and what came out."""

import json
import os
import os.path as osp
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.config import Config

from mmamr.pipeline.settings import changed_settings, leaves, settings_of
from mmamr.pipeline.stage import parse_stages
from mmamr.utils import FolderLock, InputError, atomic_write

from .job import Job
from .photo_sample import PhotoSample

SETTINGS = {'config', 'options', 'stages', 'photos', 'load_from', 'checkpoint_of', 'ensemble_of'}
"""What an experiment config may say of a run."""

CHECKPOINT = '{checkpoint}'
"""As the value of an option of a training: the checkpoint of the run that ``load_from`` names."""

MADE = {'trained', 'manifest.json'}
"""What is in the folder of a run that has begun, beside checkpoints and curves."""


@dataclass
class Run:
    """One config with one seed.

    Args:
        name (str): Name of the run in the experiment config.
        seed (int): Its seed.
        config (str): Path of the config.
        work_dir (str): Folder of the run.
        options (dict): What is changed in the config, by dotted key. Defaults to nothing.
        parents (Sequence[Run]): Runs that must be done before. Defaults to none.
    """

    name: str
    seed: int
    config: str
    work_dir: str
    options: dict[str, Any] = field(default_factory=dict)
    parents: Sequence['Run'] = ()

    def settings(self) -> dict[str, str]:
        """Every setting that its numbers depend on, as text by dotted key."""
        raise NotImplementedError

    def all_settings(self) -> dict[str, str]:
        """Its own and those of its parents, whose names are before theirs."""
        settings = self.settings()
        for parent in self.parents:
            name = f'{parent.name}/seed{parent.seed}'
            settings.update({f'{name}.{key}': value for key, value in parent.all_settings().items()})
        return settings

    def has_begun(self) -> bool:
        """Whether its folder has a checkpoint or anything that was measured."""
        return any(
            name in MADE or name.startswith('curves_') or name.endswith('.pth') for name in os.listdir(self.work_dir)
        )

    def note_settings(self) -> None:
        """Write down the settings, or compare them with those that are there.

        Raises:
            InputError: If what is in the folder was made with other settings.
        """
        path, settings = osp.join(self.work_dir, 'settings.json'), self.all_settings()
        if not osp.exists(path) or not self.has_begun():
            with closing(self.lock()), atomic_write(path, 'w', encoding='utf-8') as file:
                json.dump(settings, file, indent=0)
            return
        with open(path, encoding='utf-8') as file:
            before = json.load(file)
        if before != settings:
            raise InputError(
                f'{self.work_dir} was made with other settings ({changed_settings(before, settings)}); '
                'take another --work-dir, or remove it, and what starts from it, to run it again'
            )

    def missing(self) -> list[str]:
        """What has not been measured yet, in words for a plan; empty for a run that is done."""
        raise NotImplementedError

    def jobs(self) -> Iterator[Job]:
        """What is to be done, step by step; a later step may need what an earlier one made."""
        raise NotImplementedError

    def lock(self) -> FolderLock:
        """A lock on the folder, which keeps other experiments out; each job of the run locks it for itself besides.

        Raises:
            InputError: If another one is at work there.
        """
        lock = FolderLock(self.work_dir, '.experiment.lock')
        lock.acquire()
        return lock

    def measure(self, row: Mapping) -> dict[str, float]:
        """The numbers of a row of the table, by column.

        Raises:
            InputError: If the row names what the run does not measure.
        """
        raise NotImplementedError


@dataclass
class ClassifierRun(Run):
    """The training of a classifier, from the checkpoint of its parent if it has one, and its CAMs on some splits.

    Args:
        parents (Sequence[ClassifierRun]): The classifiers that it starts from. Defaults to none.
        splits (dict): Name to list file of the splits on which CAMs are made.
        choose_on (str): The split whose best threshold is used on all of them.
        trains (bool): Whether there is something to train, or CAMs are made with the weights of the parent. Defaults to
            True.
    """

    parents: Sequence['ClassifierRun'] = ()
    splits: dict[str, str] = field(default_factory=dict)
    choose_on: str = 'train'
    trains: bool = True

    def curves_file(self, split: str) -> str:
        """Where the curves of a split stand: mIoU of each kind of CAM at each threshold."""
        return osp.join(self.work_dir, f'curves_{split}.json')

    def cam_dir(self, split: str) -> str:
        """Where the CAMs of a split stand."""
        return osp.join(self.work_dir, f'cams_{split}')

    def checkpoint(self) -> str:
        """The last checkpoint.

        Raises:
            FileNotFoundError: If there is none.
        """
        if not self.trains:
            return self.parents[0].checkpoint()
        marker = osp.join(self.work_dir, 'last_checkpoint')
        if not osp.exists(marker):
            raise FileNotFoundError(f'{self.work_dir} has no checkpoint: the training of {self.name} did not end')
        with open(marker, encoding='utf-8') as file:
            return osp.join(self.work_dir, osp.basename(file.read().strip()))

    def settings(self) -> dict[str, str]:
        """Every setting that its numbers depend on, as text by dotted key."""
        cfg = Config.fromfile(self.config)
        cfg.merge_from_dict({'randomness.seed': self.seed, **self.options})
        splits = {f'splits.{name}': path for name, path in self.splits.items()}
        return {**settings_of(cfg, 'train'), **settings_of(cfg, 'test'), **splits}

    def missing(self) -> list[str]:
        """Splits that have not been measured."""
        return [split for split in self.splits if not osp.exists(self.curves_file(split))]

    def jobs(self) -> Iterator[Job]:
        """Train, then make the CAMs of each split."""
        options = {'randomness.seed': self.seed, **self.options}
        trained = osp.join(self.work_dir, 'trained')
        if self.trains and not osp.exists(trained):
            start = {}
            if self.parents:
                keys = ['load_from', *(key for key, value in self.options.items() if value == CHECKPOINT)]
                start = dict.fromkeys(keys, self.parents[0].checkpoint())
            yield Job('train', 'train', self.config, self.work_dir, {**options, **start})
            with atomic_write(trained):
                pass
        for split in self.missing():
            options = {
                **options,
                'test_dataloader.dataset.split': self.splits[split],
                'test_cfg.out_dir': self.cam_dir(split),
                'test_evaluator.out_file': self.curves_file(split),
            }
            yield Job('test', f'cam_{split}', self.config, self.work_dir, options, self.checkpoint())

    def measure(self, row: Mapping) -> dict[str, float]:
        """mIoU of ``row['cam']`` on each split, at the best threshold of :attr:`choose_on`, and the threshold."""
        curves = {}
        for split in self.splits:
            path = self.curves_file(split)
            with open(path, encoding='utf-8') as file:
                curves[split] = lookup(json.load(file), row['cam'], path)
        best = int(np.argmax(curves[self.choose_on]['miou']))
        numbers = {f'{split} mIoU': curve['miou'][best] for split, curve in curves.items()}
        return {**numbers, 'threshold': curves[self.choose_on]['thresholds'][best]}


class EnsembleRun(ClassifierRun):
    """The mean of the CAMs of its parents, which are not trained again: what several models give without AMR."""

    def jobs(self) -> Iterator[Job]:
        """Measure the mean on each split."""
        for split in self.missing():
            options = {**self.options, 'test_dataloader.dataset.split': self.splits[split]}
            folders = [parent.cam_dir(split) for parent in self.parents]
            yield Job(
                'ensemble',
                f'ensemble_{split}',
                self.config,
                self.work_dir,
                options,
                cam_dirs=folders,
                curves_file=self.curves_file(split),
            )


@dataclass
class PipelineRun(Run):
    """A pipeline from its first stage to its last.

    Args:
        stages (Sequence[str], optional): Only these of its stages. Defaults to None: all.
    """

    stages: Sequence[str] | None = None

    def pipeline_options(self) -> dict[str, Any]:
        """Options of the pipeline, by dotted key."""
        return {'options.randomness.seed': self.seed, **self.options}

    def settings(self) -> dict[str, str]:
        """Those of the pipeline, and of the config of each stage below the stage's name."""
        cfg = Config.fromfile(self.config)
        cfg.merge_from_dict(self.pipeline_options())
        settings = {key: repr(value) for key, value in leaves(cfg.to_dict())}
        for stage in parse_stages(cfg.stages, osp.dirname(self.config)).values():
            for key, value in settings_of(Config.fromfile(stage.config), stage.kind).items():
                settings[f'{stage.name}.{key}'] = value
        return settings

    def records(self) -> dict[str, dict]:
        """Records of the stages so far, from the manifest."""
        path = osp.join(self.work_dir, 'manifest.json')
        if not osp.exists(path):
            return {}
        with open(path, encoding='utf-8') as file:
            return json.load(file)['stages']

    def missing(self) -> list[str]:
        """Stages that are not done."""
        stages, records = Config.fromfile(self.config).stages, self.records()
        wanted = self.stages or [name for name in stages if stages[name] is not None]
        return [name for name in wanted if records.get(name, {}).get('state') != 'done']

    def jobs(self) -> Iterator[Job]:
        """The pipeline, which knows itself what is left to do."""
        options = self.pipeline_options()
        yield Job('pipeline', 'pipeline', self.config, self.work_dir, options, stages=self.stages)

    def lock(self) -> FolderLock:
        """None of its own: the pipeline locks its folder."""
        return FolderLock(self.work_dir)

    def measure(self, row: Mapping) -> dict[str, float]:
        """``row['metrics']``: for each split the stage and the metric, e.g. ``dict(val=('evaluation', 'mIoU'))``."""
        records, numbers = self.records(), {}
        for split, (stage, name) in row['metrics'].items():
            metrics = lookup(records, stage, self.work_dir)['metrics']
            numbers[f'{split} mIoU'] = lookup(metrics, name, f'stage {stage} in {self.work_dir}')
        return numbers


@dataclass
class PhotosRun(PipelineRun):
    """A pipeline on drawn photos and tags, then masks of new photos, by the two commands of the README.

    Args:
        photos (Mapping): What to draw: arguments of :class:`~mmamr.experiments.photo_sample.PhotoSample`.
    """

    photos: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sample(self) -> PhotoSample:
        """The photos."""
        return PhotoSample(osp.join(self.work_dir, 'sample'), self.seed, **self.photos)

    @property
    def measured(self) -> str:
        """The file of what came out."""
        return osp.join(self.work_dir, 'measured.json')

    def settings(self) -> dict[str, str]:
        """Those of the pipeline, and of the photos."""
        photos = {f'photos.{key}': repr(value) for key, value in leaves(dict(self.photos))}
        return {**super().settings(), **photos}

    def missing(self) -> list[str]:
        """Stages that are not done, and what follows them."""
        return super().missing() + ([] if osp.exists(self.measured) else ['masks of new photos'])

    def jobs(self) -> Iterator[Job]:
        """Train, predict, and measure."""
        sample = self.sample
        sample.draw()
        begun, start = self.has_begun(), time.monotonic()
        options = {**self.pipeline_options(), 'data_root': sample.path('photos')}
        yield Job('pipeline', 'pipeline', self.config, self.work_dir, options)
        # of a run that was interrupted nobody knows
        numbers = {'seconds to train': float('nan') if begun else time.monotonic() - start}
        for part in ('new', 'more'):
            start = time.monotonic()
            out_dir = osp.join(self.work_dir, 'masks')
            yield Job('predict', f'predict_{part}', self.work_dir, out_dir, photos=sample.path(part))
            if part == 'new':
                numbers['seconds to predict'] = time.monotonic() - start
        layout, masks = osp.join(self.work_dir, 'photos'), osp.join(self.work_dir, 'masks', 'masks')
        labels = osp.join(self.work_dir, 'pseudo_label', 'SegmentationClassPseudo')
        trained = [osp.splitext(name)[0] for name in os.listdir(labels) if name.endswith('.png')]
        numbers['labels mIoU'] = sample.measure(labels, layout, trained)
        numbers['new photos mIoU'] = sample.measure(masks, layout, sample.ids('new') + sample.ids('more'))
        with atomic_write(self.measured, 'w', encoding='utf-8') as file:
            json.dump(numbers, file)

    def measure(self, row: Mapping) -> dict[str, float]:
        """What came out, by column."""
        with open(self.measured, encoding='utf-8') as file:
            return json.load(file)


def build_run(
    name: str, seed: int, settings: Mapping, experiment: Mapping, config_dir: str, work_dir: str, parents: Sequence[Run]
) -> Run:
    """A run of an experiment config.

    Args:
        name (str): Its name.
        seed (int): Its seed.
        settings (Mapping): See :class:`~mmamr.experiments.Experiments`.
        experiment (Mapping): The experiment config, with ``splits`` and ``choose_on`` for classifiers.
        config_dir (str): Folder of the experiment config.
        work_dir (str): Folder of the experiment.
        parents (Sequence[Run]): The runs that it starts from.

    Raises:
        InputError: If the settings have names that mean nothing, or a classifier starts from a pipeline.
    """
    unknown = set(settings) - SETTINGS
    if unknown:
        raise InputError(f'run {name} has unknown settings {sorted(unknown)}; there are {sorted(SETTINGS)}')
    config = osp.normpath(osp.join(config_dir, settings['config'])) if 'config' in settings else parents[0].config
    common = (name, seed, config, osp.join(work_dir, name, f'seed{seed}'), dict(settings.get('options', {})))
    if settings.get('photos'):
        return PhotosRun(*common, parents, photos=dict(settings['photos']))
    if 'stages' in Config.fromfile(config):
        return PipelineRun(*common, parents, stages=settings.get('stages'))
    classifiers = [parent for parent in parents if isinstance(parent, ClassifierRun)]
    if len(classifiers) < len(parents):
        raise InputError(f'run {name} starts from {parents[0].name}, a pipeline; name the run of a classifier instead')
    splits = dict(splits=dict(experiment['splits']), choose_on=experiment['choose_on'])
    if settings.get('ensemble_of'):
        return EnsembleRun(*common, classifiers, **splits)
    return ClassifierRun(*common, classifiers, **splits, trains=not settings.get('checkpoint_of'))


def lookup(measured: Mapping[str, Any], name: str, where: str) -> Any:
    """One of the things that were measured.

    Raises:
        InputError: If there is none of this name; the message names those there are.
    """
    if name not in measured:
        raise InputError(f'{where}: nothing is called {name}; there are {", ".join(measured)}')
    return measured[name]


def environment(device: int | None, jobs: int) -> dict[str, str]:
    """The environment of a run.

    Args:
        device (int, optional): Number of its GPU among those that are visible. None without GPUs: it has a part of the
            cores instead, unless ``OMP_NUM_THREADS`` is set, as jobs that share cores wait for one another's threads at
            every layer.
        jobs (int): How many runs share the cores.
    """
    if device is not None:
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')
        return dict(os.environ, CUDA_VISIBLE_DEVICES=visible.split(',')[device] if visible else str(device))
    return {'OMP_NUM_THREADS': str(max((os.cpu_count() or 1) // jobs, 1)), **os.environ}
