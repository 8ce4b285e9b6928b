"""Ctrl-C and SIGTERM end a run, wherever it is at that moment.

An exception alone is not enough: Python drops exceptions in ``__del__`` and in weakref callbacks, and a bare ``except``
makes others of them. So a flag is kept beside it. Loops look at the flag; whatever the exception became on its way up
is an interruption again where it leaves the block; and what was dropped is raised once more.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130
"""Exit code of a run that was asked to end."""
NO_LAUNCHER = 'the end of its launcher: the same command with --resume goes on'
"""What asks a process to end whose launcher was killed."""
SETTLE = 2.0
"""Seconds after a signal in which others, which launchers send in pairs, do not disturb the clearing up."""
AGAIN = 10.0
"""Seconds after which a run that is still at work is interrupted once more."""
DROPPED = 0.05
"""Seconds after which an exception that Python dropped is raised again."""


class Interrupted(KeyboardInterrupt):
    """The run was asked to end, by Ctrl-C or a signal; the message is the name of the signal."""


class _State:
    """What this process was asked."""

    def __init__(self) -> None:
        self.pid = 0
        self.asked: str | None = None
        self.last = 0.0


_state = _State()


def interrupted() -> str | None:
    """The signal that asked this process to end; None if none did."""
    return _state.asked if _state.pid == os.getpid() else None


def raise_if_interrupted() -> None:
    """Raise where the process was asked to end, but something swallowed the exception.

    Raises:
        Interrupted: Then.
    """
    if interrupted() is not None:
        raise Interrupted(_state.asked)


@contextmanager
def interruptible(last: bool = False) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block by :class:`Interrupted`, for certain.

    Blocks may lie in each other; the outermost sets the handlers of the signals and puts the former ones back. In other
    threads than the main one, which get no signals, nothing is set.

    Args:
        last (bool): Whether the process ends with the block: then signals no longer mean anything. Defaults to False.

    Raises:
        Interrupted: In the place of whatever leaves the block after a signal, also of nothing.
    """
    own = threading.current_thread() is threading.main_thread() and _state.pid != os.getpid()
    restore = _install(last) if own else None
    try:
        try:
            yield
        except BaseException as error:
            told = isinstance(error, Interrupted) or (isinstance(error, SystemExit) and error.code == INTERRUPTED)
            if interrupted() is None or told:
                raise
            raise Interrupted(_state.asked) from None
        raise_if_interrupted()
    finally:
        if restore is not None:
            restore()


def _install(last: bool) -> Callable[[], None]:
    """Set the handlers of this process; returns what puts the former ones back."""
    _state.pid, _state.asked, _state.last = os.getpid(), None, 0.0
    numbers = [*SIGNALS, *([signal.SIGALRM] if hasattr(signal, 'SIGALRM') else [])]
    before: dict[int, Any] = {number: signal.getsignal(number) for number in numbers}
    hook = sys.unraisablehook
    children: int | None = getattr(signal, 'SIGCHLD', None)
    former_children: list[Any] = []

    def ask(number: int, frame: Any) -> None:
        if os.getpid() != _state.pid:  # a worker of a data loader, which ends by itself
            raise KeyboardInterrupt
        first, now = _state.asked is None, time.monotonic()
        _state.asked = _state.asked or signal.Signals(number).name
        if first and children is not None:  # torch raises there for each worker that the same signal ended
            former_children.append(signal.getsignal(children))
            signal.signal(children, lambda number, frame: None)
        if first or now - _state.last > SETTLE:
            _state.last = now
            _again(AGAIN)
            raise Interrupted(_state.asked)

    def remind(number: int, frame: Any) -> None:
        if interrupted() is not None:
            _again(AGAIN)
            raise Interrupted(_state.asked)
        former = before[number]
        if callable(former):
            former(number, frame)

    def dropped(unraisable: Any) -> None:
        if interrupted() is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
            _again(DROPPED)
        else:
            hook(unraisable)

    def restore() -> None:
        if _state.asked is not None:
            _again(0)
        if children is not None and former_children and former_children[0] is not None and not last:
            signal.signal(children, former_children[0])
        for number, handler in before.items():
            if last:
                handler = signal.SIG_IGN
            # None is a handler that Python did not set and cannot set again
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        sys.unraisablehook = hook
        _state.pid = 0

    for number in numbers:
        signal.signal(number, ask if number in SIGNALS else remind)
    sys.unraisablehook = dropped
    return restore


def _again(seconds: float) -> None:
    """Interrupt the process once more after some seconds; 0 is never."""
    if hasattr(signal, 'setitimer'):
        signal.setitimer(signal.ITIMER_REAL, seconds)


@contextmanager
def held_back() -> Iterator[None]:
    """Let signals wait until the block has ended, here and in the processes that are forked in it."""
    if not hasattr(signal, 'pthread_sigmask'):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_the_parent() -> None:
    """In a worker process: Ctrl-C, which reaches all processes of a terminal, is for the parent, SIGTERM ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, 'pthread_sigmask'):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def end_with_launcher(grace: float = 10.0) -> None:
    """End this process when the launcher that started it is gone, as nobody else would tell it to.

    Once for each process. The main thread is interrupted; where that does not help, since it waits for another process,
    the process ends after some seconds.

    Args:
        grace (float): These seconds. Defaults to 10.
    """
    name = 'launcher-watch'
    if any(thread.name == name for thread in threading.enumerate()):
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        _state.asked = NO_LAUNCHER
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(130)

    threading.Thread(target=watch, name=name, daemon=True).start()
