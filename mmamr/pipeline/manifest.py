"""What is known of the stages of a pipeline, in its work folder."""

import datetime
import json
import os
import os.path as osp
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mmamr.utils import InputError, atomic_write
from mmamr.version import __version__

PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmsegmentation', 'mmpretrain', 'numpy')


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
    ``peak_memory_mib``, ``metrics`` and, where it failed, ``error``.

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
        except ValueError:
            content = None
        if not isinstance(content, dict) or content.get('format') != self.FORMAT:
            raise InputError(
                f'{self.path} is no manifest of this version of WSSSRunner: remove it, or name another --work-dir'
            )
        self.stages = content['stages']
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
