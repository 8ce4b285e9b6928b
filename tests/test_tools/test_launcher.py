"""Several processes, of which the launcher or one is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'tests' / 'data' / 'configs' / 'tiny_amr.py'
DIES = """
from mmamr.models.losses import CrossPseudoSupervisionLoss
forward, calls = CrossPseudoSupervisionLoss.forward, []
def die(self, *args):
    calls.append(self)
    if len(calls) == 2 and os.environ['RANK'] == '1':
        os.kill(os.getpid(), signal.SIGKILL)
    return forward(self, *args)
CrossPseudoSupervisionLoss.forward = die
"""


@pytest.mark.slow
def test_one_of_two_is_killed(run_tool, tiny_voc, tmp_path):
    """The other says so in our words, and not in those of gloo alone."""
    argv = ['train.py', CONFIG, '--work-dir', tmp_path / 'work', '--launcher', 'pytorch']
    ended = run_tool(*argv, env={'MMAMR_TINY_VOC': str(tiny_voc)}, processes=2, before=DIES)
    lines = [line for line in ended.output.splitlines() if line.startswith('another process of this run has ended; ')]
    assert len(lines) == 1 and 'its own last line says why' in lines[0] and 'Traceback' not in ended.output


def running(pids):
    return [
        pid for pid in pids if Path(f'/proc/{pid}').exists() and ') Z ' not in Path(f'/proc/{pid}/stat').read_text()
    ]


@pytest.mark.slow
def test_the_launcher_is_killed(tiny_voc, tmp_path, free_port):
    environment = dict(
        os.environ,
        MMAMR_TINY_VOC=str(tiny_voc),
        PYTHON=sys.executable,
        PYTHONPATH=str(ROOT),
        OMP_NUM_THREADS='1',
        PORT=str(free_port()),
    )
    log = tmp_path / 'log.txt'
    options = ['--work-dir', tmp_path / 'work', '--cfg-options', 'train_cfg.max_epochs=5000']
    with open(log, 'w') as file:
        launcher = subprocess.Popen(
            [ROOT / 'tools' / 'dist_train.sh', CONFIG, '2', *map(str, options)],
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 120
        while 'Epoch(train)' not in log.read_text() and time.monotonic() < end:
            time.sleep(0.2)
        workers = Path(f'/proc/{launcher.pid}/task/{launcher.pid}/children').read_text().split()
        assert len(workers) == 2, log.read_text()
        launcher.kill()
        end = time.monotonic() + 60
        while running(workers) and time.monotonic() < end:
            time.sleep(0.2)
        assert not running(workers)
    finally:
        launcher.kill()
        launcher.wait()
        for pid in running(workers):
            os.kill(int(pid), signal.SIGKILL)
    assert 'interrupted by the end of its launcher: the same command with --resume goes on' in log.read_text()
