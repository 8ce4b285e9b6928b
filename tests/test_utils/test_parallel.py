import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from mmamr.utils import InputError, share_work


def squares(part, advance):
    results = []
    for item in part:
        results.append(item**2)
        advance()
    return results


@pytest.mark.parametrize('num_workers', [0, 1, 2, 3, 50])
def test_any_number_of_processes_gives_the_same(num_workers):
    parts = share_work(squares, range(10), num_workers, 'squares')
    assert [square for part in parts for square in part] == [item**2 for item in range(10)]
    assert len(parts) == (min(num_workers, 10) or 1)


def test_one_process_does_it_all_where_nothing_can_be_forked(monkeypatch):
    monkeypatch.setattr('multiprocessing.get_all_start_methods', lambda: ['spawn'])
    assert share_work(squares, range(10), 3, 'squares') == [[item**2 for item in range(10)]]


def test_one_process_does_it_all_where_a_fork_is_not_safe(monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'darwin')
    assert share_work(squares, range(10), 3, 'squares') == [[item**2 for item in range(10)]]


def test_nothing_to_do():
    assert share_work(squares, [], 3, 'squares') == [[]]


@pytest.mark.parametrize('num_workers', [0, 1, 3])
def test_a_failure_is_raised_and_the_others_stop(num_workers, tmp_path):
    def work(part, advance):
        for item in part:
            if item == 0:
                raise InputError('item 0 is no good')
            time.sleep(0.05)
            (tmp_path / str(item)).touch()
            advance()

    before = time.monotonic()
    with pytest.raises(InputError, match=r'^item 0 is no good$'):
        share_work(work, range(3000), num_workers, 'work')
    assert len(list(tmp_path.iterdir())) < 2000 and time.monotonic() - before < 100


def test_a_process_that_dies():
    def work(part, advance):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(BrokenProcessPool):
        share_work(work, range(4), 2, 'work')


def test_a_killed_parent_leaves_no_process_behind(tmp_path):
    code = """
import os, sys, time
from mmamr.utils import share_work

def work(part, advance):
    os.write(1, f'{os.getpid()}\\n'.encode())  # at once: two processes share the pipe
    if part[0] == 0:
        return  # waits for more to do
    time.sleep(600)

share_work(work, [0, 1], 2, 'work')
"""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    workers = [int(process.stdout.readline()) for _ in range(2)]
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(alive(worker) for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail('a worker is still there')


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False
