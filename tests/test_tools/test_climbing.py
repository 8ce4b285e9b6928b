"""tools/test.py with adversarial climbing: killed and run again, in one process and in two."""

import signal
from pathlib import Path

import pytest
import torch

from mmamr.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'data' / 'configs' / 'tiny_amr.py'


@pytest.fixture
def climb(run_tool, tiny_config, tmp_path):
    """Make CAMs with climbing into a folder."""
    torch.manual_seed(0)
    checkpoint = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=MODELS.build(tiny_config('tiny_amr').model).state_dict()), checkpoint)

    def run(work_dir, *argv, **kwargs):
        return run_tool(
            'test.py',
            CONFIG,
            checkpoint,
            '--work-dir',
            tmp_path / work_dir,
            *argv,
            '--cfg-options',
            'test_cfg.climb.steps=3',
            'test_cfg.climb.max_batch=2',
            **kwargs,
        )

    return run


def contents(folder):
    """Bytes of the CAM files."""
    return {path.name: path.read_bytes() for path in sorted((folder / 'cams').glob('*.npz'))}


@pytest.mark.slow
def test_killed_and_resumed_to_the_same_bytes(climb, tmp_path):
    undisturbed = climb('undisturbed')
    assert undisturbed.code == 0, undisturbed.output
    expected = contents(tmp_path / 'undisturbed')
    assert len(expected) == 12
    assert climb('killed', kill_at=6, placed=False).code == -signal.SIGKILL
    assert 0 < len(contents(tmp_path / 'killed')) < 12
    resumed = climb('killed', '--launcher', 'pytorch', processes=2)
    assert resumed.code == 0, resumed.output
    assert contents(tmp_path / 'killed') == expected
    # bfloat16 on a CPU
    half = climb('half', '--amp')
    assert half.code == 0, half.output
    assert len(contents(tmp_path / 'half')) == 12 and contents(tmp_path / 'half') != expected
