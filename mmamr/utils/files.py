"""Files that are written whole or not at all."""

import os
import os.path as osp
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from PIL import Image, PngImagePlugin


@contextmanager
def atomic_write(path: str, mode: str = 'wb', **kwargs: Any) -> Iterator[IO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an exception.

    A reader, or a run that is resumed after a kill, sees the old file, the new one or none; never half of one.

    Args:
        path (str): The file to write. Its folder is made if it is missing.
        mode (str): ``'wb'`` or ``'w'``. Defaults to ``'wb'``.
        **kwargs: Passed to :func:`open`, e.g. ``encoding``.

    Yields:
        The open temporary file.
    """
    folder = osp.dirname(osp.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix='.tmp-', suffix=osp.basename(path)[-40:], dir=folder)
    try:
        with open(handle, mode, **kwargs) as file:
            yield file
        # mkstemp makes private files; give this one the permissions that open() would have given it.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        if osp.exists(temporary):
            os.unlink(temporary)
        raise


def write_png(
    path: str,
    array: np.ndarray,
    palette: Sequence[Sequence[int]] | np.ndarray | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write an 8-bit PNG whole: grey or RGB as it is, or indexed where a palette is given.

    Args:
        path (str): The file to write.
        array (np.ndarray): uint8 of shape ``(H, W)`` or ``(H, W, 3)``.
        palette (Sequence[Sequence[int]] | np.ndarray, optional): RGB colours of the indices; ``(H, W)`` arrays only.
            Defaults to None.
        text (Mapping[str, str], optional): Notes to put into the file, by name. Defaults to None.
    """
    image = Image.fromarray(np.ascontiguousarray(array, dtype=np.uint8))
    if palette is not None:
        image.putpalette(np.asarray(palette, dtype=np.uint8).reshape(-1).tolist())
    notes = PngImagePlugin.PngInfo()
    for name, value in (text or {}).items():
        notes.add_itxt(name, value)
    with atomic_write(path) as file:
        image.save(file, format='PNG', pnginfo=notes)
