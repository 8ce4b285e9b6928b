"""Pipelines that are asked to end at a random moment: 130, one line, and nothing that the next run does not mend."""

import json
import random
import shutil
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmamr.pipeline.fingerprints import folder_fingerprint

PIPELINE = Path(__file__).parents[1] / 'data' / 'configs' / 'tiny_pipeline.py'
STAGES = ['classifier', 'cam', 'affinity_label', 'affinity', 'walk', 'pseudo_label', 'segmentation', 'evaluation']
FOLDERS = dict(cam='cams', affinity_label='affinity_labels', walk='walks', pseudo_label='SegmentationClassPseudo')
SIGNALS = (signal.SIGINT, signal.SIGTERM)
EACH = 25
"""Signals for each stage."""


def undo(work_dir: Path, stage: str) -> None:
    """Put a pipeline back to where a stage has not begun."""
    content = json.loads((work_dir / 'manifest.json').read_text())
    for name in STAGES[STAGES.index(stage) :]:
        content['stages'].pop(name, None)
        shutil.rmtree(work_dir / name, ignore_errors=True)
    (work_dir / 'manifest.json').write_text(json.dumps(content))


@pytest.mark.slow
def test_random_signals_over_all_stages(run_tool, finished, shared_voc, tmp_path):
    counts: Counter = Counter()
    wrong = []

    def check(stage):
        rng = random.Random(stage)
        work_dir = Path(shutil.copytree(finished, tmp_path / stage))
        seconds = json.loads((finished / 'manifest.json').read_text())['stages'][stage]['seconds'] + 1
        undo(work_dir, stage)
        argv = ['train.py', PIPELINE, '--work-dir', work_dir, '--resume', '--stages', stage]
        env = {'MMAMR_TINY_VOC': str(shared_voc)}
        for _ in range(EACH):
            number, everybody = rng.choice(SIGNALS), rng.random() < 0.5
            ended = run_tool(*argv, env=env, signal_at=(number, rng.uniform(0, seconds), everybody))
            if ended.code == 0:  # it was quicker than the dice
                counts['late'] += 1
                undo(work_dir, stage)
                continue
            counts[number.name, 'to all' if everybody else 'to one'] += 1
            last = (ended.output.strip().splitlines() or [''])[-1]
            noise = 'Traceback' in ended.output or 'Exception ignored' in ended.output
            if ended.code != 130 or not last.startswith('interrupted by ') or noise:
                wrong.append((stage, number.name, everybody, ended))
        ended = run_tool(*argv, env=env)
        assert ended.code == 0, ended.output
        assert not list(work_dir.rglob('.tmp-*'))
        if stage in FOLDERS:
            folders = [str(root / stage / FOLDERS[stage]) for root in (work_dir, finished)]
            assert folder_fingerprint(folders[0])['hash'] == folder_fingerprint(folders[1])['hash']

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check, STAGES))
    print(f'{EACH * len(STAGES)} signals: {len(wrong)} ended otherwise than with 130 and one line; {dict(counts)}')
    assert not wrong, '\n'.join(f'{stage} {name} {everybody} {ended}' for stage, name, everybody, ended in wrong)
    assert sum(counts.values()) - counts['late'] >= EACH * len(STAGES) // 2
