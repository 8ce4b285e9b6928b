"""Two runs in one work folder."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmamr.utils import InputError
from mmamr.utils.folder_lock import FolderLock

CONFIG = Path(__file__).parents[1] / 'data' / 'configs' / 'tiny_pipeline.py'
HOLD = """
import fcntl, os, sys, time
file = open(sys.argv[1] + '/.lock', 'a+')
fcntl.lockf(file, fcntl.LOCK_EX)
file.truncate(0)
file.write(f'process {os.getpid()} on here')
file.flush()
if os.fork() == 0:
    time.sleep(60)  # as a worker of a data loader that has not seen yet that its parent is gone
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of ``tmp_path / 'work'``, and a child of its own."""
    (tmp_path / 'work').mkdir()
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path / 'work')], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    process.stdout.readline()
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_one_after_the_other(tmp_path):
    for _ in range(2):
        lock = FolderLock(str(tmp_path / 'new' / 'work'))
        lock.acquire()
        assert (tmp_path / 'new' / 'work' / '.lock').read_text().startswith(f'process {os.getpid()} on ')
        lock.close()
        lock.close()


def test_another_process_is_kept_out_until_it_is_killed(tmp_path, holder):
    lock = FolderLock(str(tmp_path / 'work'))
    with pytest.raises(InputError) as caught:
        lock.acquire()
    assert str(caught.value) == (
        f'{tmp_path}/work: another run is at work here (process {holder.pid} on here); wait '
        'until it ends, end it, or name another --work-dir'
    )
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    lock.acquire()  # its child lives on
    lock.close()


def test_without_locks_there_is_a_warning(tmp_path, monkeypatch):

    def lockf(*args):
        raise OSError(errno.ENOLCK, 'No locks available')

    lock = FolderLock(str(tmp_path))
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match='cannot be locked .No locks available.: let'):
        patch.setattr(fcntl, 'lockf', lockf)
        lock.acquire()
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match='cannot be locked .this system has no fcntl'):
        patch.setattr('mmamr.utils.folder_lock.fcntl', None)
        lock.acquire()
    lock.close()


def test_a_folder_that_may_not_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(NotADirectoryError):
        FolderLock(str(tmp_path / 'file' / 'work')).acquire()


def test_the_second_run_ends_with_one_line_and_touches_nothing(run_tool, holder, shared_voc, tmp_path):
    (tmp_path / 'work' / '.tmp-of-the-first').write_text('')
    before = sorted((tmp_path / 'work').iterdir())
    argv = ['train.py', CONFIG, '--work-dir', tmp_path / 'work']
    env = {'MMAMR_TINY_VOC': str(shared_voc)}
    for more in ({}, {'processes': 2}):
        launcher = ['--launcher', 'pytorch'] if more else []
        ended = run_tool(*argv, *launcher, env=env, **more)
        assert ended.code == 1 and 'Traceback' not in ended.output, ended.output
        assert f'another run is at work here (process {holder.pid} on here)' in ended.output.splitlines()[-1]
    assert sorted((tmp_path / 'work').iterdir()) == before
    ended = run_tool(*argv, '--dry-run', env=env)
    assert ended.code == 0 and 'classifier: run, it was not run before' in ended.output
