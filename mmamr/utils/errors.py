"""Bad input, told in one line."""

import errno
import logging
import os
import pickle
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import FrameType

from .interrupts import INTERRUPTED, interruptible

OUT_OF_MEMORY = (
    "can't allocate memory",
    'CUDA error: out of memory',
    'CUBLAS_STATUS_ALLOC_FAILED',
    'CUDNN_STATUS_ALLOC_FAILED',
)
"""What PyTorch writes into a plain RuntimeError where memory does not suffice."""


class InputError(ValueError):
    """Input that cannot be used as it is; the message is one line that names the file and the cure."""

    @property
    def line(self) -> str:
        """The one line, also where a worker process of a ``DataLoader`` has wrapped it into its traceback."""
        return last_line(self)


class DatasetError(InputError):
    """A data set that cannot be used as it is; the message is one line that names the file and the cure.

    Args:
        message (str): The line.
        kind (str): What sort of problem it is, in a few words; ``check_dataset.py`` groups by it. Defaults to
            'data set'.
    """

    def __init__(self, message: str, kind: str = 'data set') -> None:
        super().__init__(message)
        self.kind = kind


def last_line(error: BaseException) -> str:
    """The message of an error, without the traceback that a worker process of a ``DataLoader`` puts around it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].rpartition(f'{type(error).__name__}: ')[2]


def unreadable_reason(error: BaseException) -> str:
    """Why a checkpoint could not be read, in a few words; PyTorch's own advice is to read it in a way that is not safe.

    Args:
        error (BaseException): What ``torch.load`` raised.
    """
    if isinstance(error, pickle.UnpicklingError):
        return 'it is damaged, or holds more than tensors and plain values'
    text = ' '.join((str(error).strip().splitlines() or [''])[0].split())[:200]
    return f'{type(error).__name__}: {text}' if text else type(error).__name__


def failure_line(error: BaseException) -> str | None:
    """What a user can do about an error, in one line; None if it is none of those that a user can do something about.

    Bad input and missing files; a setting of a config that its class refuses; a disk that is full or may not be
    written; memory that does not suffice; a worker of a data loader that died.
    """
    text = last_line(error)
    if _peer_is_gone(error):
        return f'another process of this run has ended; its own last line says why ({text})'
    if _worker_died(error):
        return f'a worker of the data loader died; lower num_workers or batch_size if memory is short ({text})'
    if isinstance(error, FileNotFoundError) and error.filename:
        return f'{error.filename}: there is no such file or folder; check the path'
    if isinstance(error, (InputError, FileNotFoundError)):
        return (_refused_setting(error) or text) if type(error).__name__ == 'SettingError' else text
    if isinstance(error, OSError) and error.errno in (
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.ENOTDIR,
        errno.EEXIST,
    ):
        return f'{_where(error)}{error.strerror}; choose a folder that you may write, or change its permissions'
    if isinstance(error, RuntimeError) and os.strerror(errno.ENOSPC) in text:
        return f'the shared memory of the data loaders is full; lower num_workers, or make /dev/shm larger ({text})'
    if isinstance(error, MemoryError) or type(error).__name__ == 'OutOfMemoryError':
        return f'out of memory; lower the batch size, the image size or the number of workers ({text})'
    if isinstance(error, RuntimeError):
        for line in str(error).splitlines():
            if any(sign in line for sign in OUT_OF_MEMORY):
                return f'out of memory; lower the batch size, the image size or the number of workers ({line.strip()})'
    return _disk_line(error) or _refused_setting(error)


def _refused_setting(error: BaseException) -> str | None:
    """The line of what a registry could not build: an unknown type, an unknown key, a value that the class refuses.

    An error of another kind, or a TypeError or KeyError from within a constructor, may be a fault of the code: these
    keep their traceback.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    depths = [depth for depth, frame in enumerate(frames) if _builds(frame)]
    if not depths and frames and isinstance(error, TypeError) and 'unexpected keyword argument' in str(error):
        # mmengine hands on what stands in a config, e.g. randomness
        if frames[-1].f_globals.get('__name__', '').startswith('mmengine.runner.'):
            return f'config: {" ".join(str(error).split())}; check the config and --cfg-options'
    if not depths or not str(error):
        return None
    own = depths[-1] == len(frames) - 1
    if not (isinstance(error, (ValueError, AssertionError)) or (own and isinstance(error, (TypeError, KeyError)))):
        return None
    built = frames[depths[-1]].f_locals.get('obj_type', 'config')
    name = built if isinstance(built, str) else getattr(built, '__name__', 'config')
    text = ' '.join(str(error.args[0]).split()).partition('. Please check whether')[0]
    return f'{"" if text.startswith(name) else f"{name}: "}{text}; check the config and --cfg-options'


def _builds(frame: FrameType) -> bool:
    """Whether a frame is a function of mmengine that builds an object from its config."""
    return frame.f_code.co_name.startswith('build_') and frame.f_globals.get('__name__', '').startswith('mmengine.')


def _worker_died(error: BaseException) -> bool:
    """Whether a worker process is gone: it is told as such, or talking to it failed."""
    if isinstance(error, RuntimeError):
        return isinstance(error, BrokenProcessPool) or 'DataLoader worker' in str(error)
    if not isinstance(error, (ConnectionError, EOFError, FileNotFoundError)):
        return False
    return any('multiprocessing' in frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__))


PEER = ('gloo', 'NCCL', 'Connection closed by peer', 'Connection reset by peer', 'Socket Timeout', 'TCPStore')
"""What PyTorch writes into an error where another process of a run no longer answers."""


def _peer_is_gone(error: BaseException) -> bool:
    """Whether talking to another process of the same run failed."""
    if not isinstance(error, RuntimeError):
        return False
    names = {one.__name__ for one in type(error).__mro__}
    return bool(names & {'DistBackendError', 'DistNetworkError', 'DistStoreError'}) or any(
        sign in str(error) for sign in PEER
    )


def _disk_line(error: BaseException | None) -> str | None:
    """The line of a disk that takes no more, also where another error came up while the file was being closed."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f'{_where(error)}the disk is full; make room and run the same command again'
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            return (
                f'{_where(error)}the file is larger than this disk or your limit (ulimit -f) allows; raise it and '
                'run the same command again'
            )
        error = error.__context__
    return None


def _where(error: OSError) -> str:
    return f'{error.filename}: ' if error.filename else ''


def confirm(question: str) -> bool:
    """Ask somebody at the terminal; where nobody sits there, the answer is no.

    Args:
        question (str): One line, without "[y/N]".
    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f'{question} [y/N] ', end='', file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ('y', 'yes')


FAULT = (
    'this is a fault of mmamr, or of a package below it, and not of what you gave it: please report the lines above, '
    'with the command, where you got mmamr from'
)


@contextmanager
def one_line_errors(program: bool = False) -> Iterator[None]:
    """End the program with one line on stderr, whatever happens in the block.

    What a person can do something about, :func:`failure_line`, is that line alone, with exit code 1. Anything else is
    a fault of the program: its traceback, and one line that says where to report it. Ctrl-C and SIGTERM end the block
    with exit code 130. Log messages that cannot be written, to a full disk for example, are dropped without a traceback
    of their own.

    Args:
        program (bool): Whether the process ends with the block, so that signals mean nothing after it. Defaults to
            False.

    Raises:
        SystemExit: In each of these cases.
    """
    before, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        with interruptible(program):
            yield
    except KeyboardInterrupt as error:
        print(_interruption(str(error)), file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        line = failure_line(error)
        if line is None:
            traceback.print_exc()
            line = FAULT
        raise SystemExit(line) from None
    finally:
        logging.raiseExceptions = before


def _interruption(name: str) -> str:
    """The last line of a run that was asked to end."""
    if name == 'SIGTERM' and 'TORCHELASTIC_RUN_ID' in os.environ:
        return 'interrupted by SIGTERM: the launcher ends a process when another one has failed, or when it is asked to'
    return f'interrupted by {name}' if name else 'interrupted'
