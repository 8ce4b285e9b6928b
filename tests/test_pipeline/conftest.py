"""A pipeline of tiny stages, run once and copied for each test that wants to disturb it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmamr.pipeline import WSSSRunner

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
PIPELINE = CONFIGS / 'tiny_pipeline.py'


def build(work_dir: Path, config: Path = PIPELINE, stages: dict | None = None, **settings: Any) -> WSSSRunner:
    """A runner of a pipeline config; ``stages`` changes its stages as a child config would."""
    cfg = Config.fromfile(config)
    cfg.work_dir = str(work_dir)
    cfg.merge_from_dict({'stages': stages or {}, **settings})
    return WSSSRunner.from_cfg(cfg)


@pytest.fixture(scope='session')
def finished(shared_voc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work folder of the pipeline after a run that nobody disturbed; not to be changed."""
    work_dir = tmp_path_factory.mktemp('pipeline') / 'work'
    before = os.environ.get('MMAMR_TINY_VOC')
    os.environ['MMAMR_TINY_VOC'] = str(shared_voc)
    try:
        build(work_dir).train()
    finally:
        os.environ.pop('MMAMR_TINY_VOC') if before is None else os.environ.update(MMAMR_TINY_VOC=before)
    return work_dir


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """A copy of :func:`finished` to be disturbed."""
    return Path(shutil.copytree(finished, tmp_path / 'work'))


@pytest.fixture
def pipeline(shared_voc: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WSSSRunner]:
    """:func:`build` on the shared data set."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(shared_voc))
    return build
