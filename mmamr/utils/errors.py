"""Bad input, told in one line."""
from contextlib import contextmanager
from typing import Iterator


class InputError(ValueError):
    """Input that cannot be used as it is; the message is one line that names the file and the cure."""

    @property
    def line(self) -> str:
        """The one line, also where a worker process of a ``DataLoader`` has wrapped it into its traceback."""
        return last_line(self)


def last_line(error: Exception) -> str:
    """The message of an error, without the traceback that a worker process of a ``DataLoader`` puts around it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].rpartition(f'{type(error).__name__}: ')[2]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the program with exit code 1 and one line on stderr, no traceback, where input is bad or a file is missing.

    Raises:
        SystemExit: For :class:`InputError` and ``FileNotFoundError``; all other exceptions pass.
    """
    try:
        yield
    except (InputError, FileNotFoundError) as error:
        raise SystemExit(last_line(error)) from None
