"""Signals that end a run wherever they meet it."""

import os
import signal
import sys
import time

import pytest

from mmamr.utils import (
    InputError,
    Interrupted,
    interrupted,
    interruptible,
    one_line_errors,
    raise_if_interrupted,
    share_work,
    track,
)


def wait(seconds=20):
    """Do nothing, in many short steps, until somebody interrupts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    pytest.fail('nobody interrupted')


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_signal_is_an_exception(name):
    number = getattr(signal, name)
    before = signal.getsignal(number), sys.unraisablehook
    with pytest.raises(Interrupted, match=name), interruptible(), interruptible():
        os.kill(os.getpid(), number)
        wait()
    assert (signal.getsignal(number), sys.unraisablehook) == before
    assert interrupted() is None
    raise_if_interrupted()


class Dying:
    """Something that is being cleared away when the signal comes: what is raised there Python drops."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100):
            time.sleep(0)


def test_an_exception_that_python_drops_is_raised_again(capsys):
    with pytest.raises(Interrupted), interruptible():
        Dying()
        wait()
    assert 'Exception ignored' not in capsys.readouterr().err


def test_an_exception_that_became_another():
    """As mmengine's ``except:`` around yapf makes a SyntaxError of it."""
    with pytest.raises(Interrupted), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            wait()
        except:  # noqa: E722
            raise SyntaxError('Failed to format the config file') from None


def test_an_exception_that_was_swallowed():
    seen = []
    with pytest.raises(Interrupted), interruptible():
        for number in track(range(5), 'numbers'):
            seen.append(number)
            try:
                os.kill(os.getpid(), signal.SIGINT)
                wait()
            except KeyboardInterrupt:
                pass
    assert seen == [0]
    # also where nothing looks at the flag
    with pytest.raises(Interrupted), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            wait()
        except KeyboardInterrupt:
            pass


def test_a_worker_that_the_same_signal_ended_is_no_news():
    """Torch raises for it in its handler of SIGCHLD, wherever the process is, also where Python drops exceptions."""
    raised = []

    def as_torch(number, frame):
        raised.append(number)
        raise RuntimeError('DataLoader worker (pid 1) is killed by signal: Terminated.')

    before = signal.signal(signal.SIGCHLD, as_torch)
    try:
        with pytest.raises(Interrupted, match='SIGTERM'), interruptible():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                wait()
            finally:
                os.kill(os.getpid(), signal.SIGCHLD)
                time.sleep(0.01)
        assert signal.getsignal(signal.SIGCHLD) is as_torch
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert not raised


def test_a_second_signal_does_not_disturb_the_clearing_up():
    cleared = []
    with pytest.raises(Interrupted, match='SIGINT'), interruptible():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            wait()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            cleared.append(True)
    assert cleared


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_tool_ends_with_130_and_one_line(number, capsys):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        try:
            os.kill(os.getpid(), number)
            wait()
        except KeyboardInterrupt:
            raise InputError('nobody may see this') from None
    assert caught.value.code == 130
    assert capsys.readouterr().err == f'interrupted by {number.name}\n'


def test_a_process_of_a_launcher_says_that_another_one_may_have_failed(monkeypatch, capsys):
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    with pytest.raises(SystemExit), one_line_errors():
        os.kill(os.getpid(), signal.SIGTERM)
        wait()
    assert 'the launcher ends a process when another one has failed' in capsys.readouterr().err


def test_processes_that_share_work(tmp_path):
    """They finish their present item and end; a signal of the terminal reaches them, too."""

    def work(items, advance):
        for item in items:
            if item in (0, 50):
                (tmp_path / str(os.getpid())).touch()
            if item == 5:
                os.kill(os.getpid(), signal.SIGINT)  # as the terminal does, to all
                os.kill(os.getppid(), signal.SIGINT)
            time.sleep(0.02)
            advance()

    start = time.monotonic()
    with pytest.raises(Interrupted), interruptible():
        share_work(work, list(range(1000)), 2, 'work')
    assert time.monotonic() - start < 15
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)
