"""One run at a time in a work folder."""

import errno
import os
import os.path as osp
import socket
import warnings
from typing import IO

from .errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """Keeps other runs out of a folder, by a lock on a file in it.

    The lock is the kernel's own (POSIX): it goes with the process, however that ends, and is not inherited by the
    workers of a data loader, which may outlive a killed run for some seconds. Where a file system has no locks, such as
    some network drives, there is a warning and the run goes on.

    Args:
        folder (str): The folder.
        name (str): Of the file: locks of two names do not keep each other out. Defaults to ``'.lock'``.
    """

    def __init__(self, folder: str, name: str = '.lock') -> None:
        self.folder = folder
        self.name = name
        self.file: IO | None = None

    def acquire(self) -> None:
        """Take the lock; the folder is made.

        Raises:
            InputError: If another run has it.
            OSError: If the folder may not be written.
        """
        os.makedirs(self.folder, exist_ok=True)
        file = open(osp.join(self.folder, self.name), 'a+', encoding='utf-8')
        try:
            if fcntl is None:
                raise OSError(errno.ENOSYS, 'this system has no fcntl')
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or 'nobody knows which'
            file.close()
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise InputError(
                    f'{self.folder}: another run is at work here ({holder}); wait until it ends, end it, '
                    'or name another --work-dir'
                ) from None
            line = f'{self.folder} cannot be locked ({error.strerror}): let no other run work there'
            warnings.warn(line, stacklevel=2)
            return
        file.truncate(0)
        file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
        file.flush()
        self.file = file

    def close(self) -> None:
        """Give the lock back."""
        if self.file is not None:
            self.file.close()
            self.file = None
