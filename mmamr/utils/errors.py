"""Bad input, told in one line."""
import errno
import sys
from contextlib import contextmanager
from typing import Iterator, Optional


class InputError(ValueError):
    """Input that cannot be used as it is; the message is one line that names the file and the cure."""

    @property
    def line(self) -> str:
        """The one line, also where a worker process of a ``DataLoader`` has wrapped it into its traceback."""
        return last_line(self)


def last_line(error: BaseException) -> str:
    """The message of an error, without the traceback that a worker process of a ``DataLoader`` puts around it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].rpartition(f'{type(error).__name__}: ')[2]


def failure_line(error: BaseException) -> Optional[str]:
    """What a user can do about an error, in one line; None if it is none of those that a user can do something about.

    Bad input and missing files; a disk that is full or may not be written; memory that does not suffice; a worker of a
    data loader that died.
    """
    text = last_line(error)
    if isinstance(error, (InputError, FileNotFoundError)):
        return text
    if isinstance(error, OSError):
        where = f'{error.filename}: ' if error.filename else ''
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f'{where}the disk is full; make room and run the same command again'
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
            return f'{where}{error.strerror}; choose a folder that you may write, or change its permissions'
    if isinstance(error, MemoryError) or type(error).__name__ == 'OutOfMemoryError' or "can't allocate memory" in text:
        return f'out of memory; lower the batch size, the image size or the number of workers ({text})'
    if isinstance(error, RuntimeError) and 'DataLoader worker' in text:
        return f'a worker of the data loader died; lower num_workers or batch_size if memory is short ({text})'
    return None


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the program with exit code 1 and one line on stderr, no traceback, for what :func:`failure_line` knows.

    Raises:
        SystemExit: For these errors, and with exit code 130 after Ctrl-C; all other exceptions pass.
    """
    try:
        yield
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        line = failure_line(error)
        if line is None:
            raise
        raise SystemExit(line) from None
