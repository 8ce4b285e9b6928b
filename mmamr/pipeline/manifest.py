"""What is known of the stages of a pipeline, in its work folder."""

import datetime
import json
import os
import os.path as osp
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mmamr.utils import InputError, atomic_write
from mmamr.version import __version__

STAGE_NAME = re.compile(r'\w+')
"""A stage is called so; its name is that of its work folder, and stands in settings of others."""

PACKAGES = (
    *('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmsegmentation', 'mmpretrain', 'numpy'),
    *('onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation', 'onedl-mmpretrain'),
)


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those that its numbers depend on."""
    found = dict(python=platform.python_version(), mmamr=__version__)
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def clean_folder(folder: str) -> None:
    """Make a folder, and remove the half-written files of runs that were killed."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith('.tmp-'):
            os.unlink(osp.join(folder, name))


class Manifest:
    """``manifest.json``: the pipeline and one record a stage, written whole after every change.

    A record has ``state`` (``running``, ``done``, ``failed`` or ``interrupted``), ``kind``, ``config`` (its file),
    ``options`` (what the pipeline changes in it), ``config_hash``, ``inputs`` and ``outputs`` (each with ``path``,
    ``count`` and ``hash``), ``seed``, ``versions``, ``processes``, ``attempts``, ``started``, ``seconds``,
    ``peak_memory_mib`` while it ran, ``held_memory_mib`` after it, ``metrics`` and, where it failed, ``error``.

    Args:
        work_dir (str): Work folder of the pipeline.

    Raises:
        InputError: If the file is there but no manifest.
    """

    NAME = 'manifest.json'
    FORMAT = 2

    def __init__(self, work_dir: str) -> None:
        self.path = osp.join(work_dir, self.NAME)
        self.stages: dict[str, dict[str, Any]] = {}
        self.pipeline: dict[str, Any] = {}
        self._clock = time.time()
        try:
            with open(self.path, encoding='utf-8') as file:
                content = json.load(file)
        except FileNotFoundError:
            return
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or content.get('format') != self.FORMAT:
            raise InputError(
                f'{self.path} is no manifest of this version of WSSSRunner: remove it, or name another --work-dir'
            )
        problem = find_problem(content)
        if problem is not None:
            raise InputError(
                f'{self.path} is damaged ({problem}): mend it, or remove it, and the stages are made again; or name '
                'another --work-dir'
            )
        self.stages = {name: {**EMPTY, **record} for name, record in content['stages'].items()}
        self.pipeline = content.get('pipeline', {})

    def describe(self, config: str | None, stages: list[str]) -> None:
        """Set the config file and the stages of the pipeline, in order, and write the file if that is news."""
        pipeline = dict(config=config, stages=stages)
        if pipeline != self.pipeline:
            self.pipeline = pipeline
            self._write()

    def folder(self, stage: str) -> str:
        """Work folder of a stage."""
        return osp.join(osp.dirname(self.path), stage)

    def settings_file(self, stage: str) -> str:
        """JSON of the config that a stage was last run with: see :func:`~mmamr.pipeline.settings.read_settings`."""
        return osp.join(self.folder(stage), 'stage_settings.json')

    def details_file(self, stage: str) -> str:
        """JSON of the ``details`` of a stage's metrics when it was last done: IoU of each class, curves."""
        return osp.join(self.folder(stage), 'stage_details.json')

    def update(self, stage: str, **values: Any) -> None:
        """Change the record of a stage and write the file."""
        self.stages[stage] = {**self.stages.get(stage, {}), **values}
        self._write()

    def begin(self, stage: str, goes_on: bool, **values: Any) -> None:
        """Write down that a stage runs.

        Args:
            stage (str): Its name.
            goes_on (bool): Whether it goes on where an earlier attempt was interrupted; its time is added up.
            **values: What is known of it now.
        """
        old = self.stages.get(stage, {})
        self.update(
            stage,
            state='running',
            **values,
            outputs={},
            seed=None,
            versions=versions(),
            attempts=old.get('attempts', 0) + 1 if goes_on else 1,
            started=datetime.datetime.now().astimezone().isoformat(timespec='seconds'),
            seconds=old.get('seconds', 0) if goes_on else 0,
            metrics={},
            error=None,
        )
        self._clock = time.time()

    def end(self, stage: str, state: str, **values: Any) -> None:
        """Write down how a stage that :meth:`begin` began has ended: ``done``, ``failed`` or ``interrupted``."""
        seconds = round(self.stages[stage]['seconds'] + time.time() - self._clock, 1)
        self.update(stage, state=state, seconds=seconds, **values)

    def forget(self, stage: str) -> None:
        """Drop the record of a stage and write the file."""
        if self.stages.pop(stage, None) is not None:
            self._write()

    def _write(self) -> None:
        with atomic_write(self.path, 'w', encoding='utf-8') as file:
            json.dump(dict(format=self.FORMAT, pipeline=self.pipeline, stages=self.stages), file, indent=2, default=str)
            file.write('\n')


EMPTY: dict[str, Any] = dict(config='', config_hash='', options={}, inputs={}, outputs={}, seconds=0, metrics={})
"""What a record of which nobody wrote more down is taken for."""
RECORD: dict[str, tuple[type, ...]] = dict(
    state=(str,),
    kind=(str,),
    config=(str,),
    options=(dict,),
    config_hash=(str,),
    inputs=(dict,),
    outputs=(dict,),
    seed=(int, type(None)),
    versions=(dict,),
    processes=(int,),
    attempts=(int,),
    started=(str,),
    seconds=(int, float),
    peak_memory_mib=(dict,),
    held_memory_mib=(dict,),
    metrics=(dict,),
    error=(str, type(None)),
)
"""The types of what a record of a stage has; ``state`` and ``kind`` it must have."""


def find_problem(content: dict[str, Any]) -> str | None:
    """What in the content of a manifest is not of its type, in a few words; None if all is."""
    stages, pipeline = content.get('stages'), content.get('pipeline', {})
    if not isinstance(stages, dict) or not isinstance(pipeline, dict):
        return 'stages and pipeline are no objects'
    names = pipeline.get('stages') or []
    if not isinstance(names, list) or not isinstance(pipeline.get('config'), (str, type(None))):
        return 'pipeline has no list of stages, or its config is no text'
    for name in [*stages, *names]:
        if not isinstance(name, str) or not STAGE_NAME.fullmatch(name):
            return f'{name!r} is no name of a stage'
    for name, record in stages.items():
        if not isinstance(record, dict):
            return f'stage {name} is no object'
        for key, kinds in RECORD.items():
            if (key in ('state', 'kind') or key in record) and not isinstance(record.get(key), kinds):
                return f'{key} of stage {name} is {record.get(key)!r}'
        for print_ in (*record.get('inputs', {}).values(), *record.get('outputs', {}).values()):
            types = dict(path=str, count=int, hash=str)
            if not isinstance(print_, dict) or not all(isinstance(print_.get(key), one) for key, one in types.items()):
                return f'an input or output of stage {name} is {print_!r}'
        if not all(isinstance(value, (int, float)) for value in record.get('metrics', {}).values()):
            return f'metrics of stage {name} are no numbers'
    return None
