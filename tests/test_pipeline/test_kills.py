"""Pipelines that are killed at a random moment and finished by the same command with --resume."""

import json
import multiprocessing
import os
import random
import runpy
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch

from mmamr.engine.checkpoints import latest_checkpoint
from mmamr.pipeline.fingerprints import folder_fingerprint

STAGES = ['classifier', 'cam', 'affinity_label', 'affinity', 'walk', 'pseudo_label', 'segmentation', 'evaluation']
FOLDERS = {
    'cam': ['cams'],
    'affinity_label': ['affinity_labels'],
    'walk': ['walks'],
    'pseudo_label': ['SegmentationClassPseudo'],
}
SCRIPT = Path(__file__).parents[1] / 'data' / 'killed_stage.py'
INTERVALS = {'classifier': 2, 'affinity': 3, 'segmentation': 2}
"""Iterations between two checkpoints of the trainings."""


def records(work_dir: Path) -> dict:
    try:
        return json.loads((work_dir / 'manifest.json').read_text())['stages']
    except FileNotFoundError:
        return {}


def start(work_dir, stage, iterations):
    # Forked from a process that has imported everything, which would take longer than the stages, and has done nothing
    # else: one that has trained before cannot always train in its children.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mmamr.pipeline', 'mmamr.registry'])
    given = dict(work_dir=work_dir, stage=stage, iterations=iterations, environ=dict(os.environ))
    process = context.Process(target=runpy.run_path, args=(str(SCRIPT), given))
    process.start()
    return process


def kill(work_dir, stage, moment, iterations):
    """Start a stage and kill it, and the workers of its data loaders, ``moment`` seconds after it began.

    Returns:
        bool: Whether it was still at work.
    """
    process = start(work_dir, stage, iterations)
    while process.is_alive() and records(work_dir).get(stage, {}).get('state') != 'running':
        time.sleep(0.005)
    time.sleep(moment)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def finish(work_dir, stage, iterations):
    process = start(work_dir, stage, iterations)
    process.join(120)
    assert process.exitcode == 0


def trained(iterations):
    """Numbers of the iterations that were trained, in the order of training."""
    return [int(number) for number in iterations.read_text().split()] if iterations.exists() else []


def undo(work_dir, stage):
    """Put a finished pipeline back to where ``stage`` has not begun."""
    content = json.loads((work_dir / 'manifest.json').read_text())
    for name in STAGES[STAGES.index(stage) :]:
        content['stages'].pop(name)
        shutil.rmtree(work_dir / name)
    (work_dir / 'manifest.json').write_text(json.dumps(content))


def check_kills(finished, folder, stage, kills, rng):
    """Kill a stage ``kills`` times while it works, finish it and look at what it made."""
    seconds = records(finished)[stage]['seconds']
    work_dir = Path(shutil.copytree(finished, folder / stage))
    undo(work_dir, stage)
    iterations = folder / f'{stage}.txt'
    hits = 0
    for _ in range(5 * kills):
        seen = len(trained(iterations))
        saved = latest_checkpoint(str(work_dir / stage))
        hit = kill(work_dir, stage, rng.uniform(0, seconds), iterations)
        if stage in INTERVALS and hit and trained(iterations)[seen:]:
            # it went on after the newest checkpoint, not before
            first = trained(iterations)[seen]
            assert first == (torch.load(saved, weights_only=True)['meta']['iter'] + 1 if saved else 1)
        if stage in INTERVALS and hit and trained(iterations):
            kept = latest_checkpoint(str(work_dir / stage))
            kept = torch.load(kept, weights_only=True)['meta']['iter'] if kept else 0
            assert max(trained(iterations)) - kept <= INTERVALS[stage]
        hits += hit
        if not hit:
            # it was quicker than the dice: once more from the beginning
            assert records(work_dir)[stage]['state'] == 'done'
            undo_stage = json.loads((work_dir / 'manifest.json').read_text())
            undo_stage['stages'].pop(stage)
            (work_dir / 'manifest.json').write_text(json.dumps(undo_stage))
            shutil.rmtree(work_dir / stage)
            iterations.unlink(missing_ok=True)
        if hits == kills:
            break
    assert hits == kills
    finish(work_dir, stage, iterations)
    record = records(work_dir)[stage]
    assert record['state'] == 'done'
    assert not list(work_dir.rglob('.tmp-*'))
    for name in FOLDERS.get(stage, ()):
        assert (
            folder_fingerprint(str(work_dir / stage / name))['hash']
            == folder_fingerprint(str(finished / stage / name))['hash']
        )
    if stage not in INTERVALS:
        assert record['metrics'] == records(finished)[stage]['metrics']
    else:
        paths = [Path(of[stage]['outputs']['checkpoint']['path']) for of in (records(work_dir), records(finished))]
        assert paths[0].name == paths[1].name
        resumed, undisturbed = (torch.load(path, weights_only=True)['state_dict'] for path in paths)
        assert resumed.keys() == undisturbed.keys()
        assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)
    return hits


@pytest.mark.slow
@pytest.mark.parametrize('stage', ['classifier', 'cam'])
def test_a_stage_that_is_killed(pipeline, finished, tmp_path, stage):
    check_kills(finished, tmp_path, stage, 1, random.Random(0))


@pytest.mark.slow
def test_each_stage_is_killed_three_times(pipeline, finished, tmp_path):
    rng = random.Random(1)
    assert sum(check_kills(finished, tmp_path, stage, 3, rng) for stage in STAGES) >= 20
