"""The CAM file: both branches apart, un-mixed, float16 at stride 4.

One ``.npz`` (no pickle) an image, named after its id:

===================  ===================  ==========================================================================
array                type, shape          content
===================  ===================  ==========================================================================
``classes``          int16 ``(K, )``      foreground classes of the maps, counted from 0
``size``             int32 ``(2, )``      height and width of the image in pixels
``map.<branch>``     float16 ``(K,h,w)``  maps of one branch in [0, 1]: ReLU'd, the largest of each class 1 (0 if the
                                          class has no positive response); h = ⌈H/4⌉, w = ⌈W/4⌉
===================  ===================  ==========================================================================

``branch`` is ``spotlight`` or ``compensation`` from a classifier and ``walk`` after a random walk; CAMs that others
made may use any one name. A walk that carries the background along adds two more:

===================  ===================  ==========================================================================
``background``       float16 ``(P,h,w)``  scores of the background, one map for each of P powers
``powers``           float32 ``(P, )``    the powers, descending
===================  ===================  ==========================================================================
"""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from mmamr.structures import CAM, strided_size
from mmamr.utils import InputError, atomic_write

from .images import MAX_PIXELS_VARIABLE, max_pixels

PREFIX = 'map.'
HEADER = 4096
"""More bytes than stand before the numbers in any array."""
ROUNDING = 2e-3
"""How far a map may leave [0, 1], in float16."""

# What NumPy and zipfile raise on files that are cut short, altered, pickled, or something else altogether.
BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


def write_cam(path: str, cam: CAM) -> None:
    """Write a CAM file whole; the same CAM gives the same bytes.

    Args:
        path (str): File to write, ``.npz``.
        cam (CAM): What to write; maps are rounded to float16.
    """
    arrays: dict[str, Any] = {
        PREFIX + name: np.asarray(maps, dtype=np.float16) for name, maps in sorted(cam.maps.items())
    }
    if cam.background is not None:
        arrays['background'] = np.asarray(cam.background, dtype=np.float16)
        arrays['powers'] = np.asarray(cam.powers, dtype=np.float32)
    # in memory first: before Python 3.11 an archive on a full disk leaves a traceback of its own behind
    archive = io.BytesIO()
    np.savez(
        archive, classes=np.asarray(cam.classes, dtype=np.int16), size=np.asarray(cam.size, dtype=np.int32), **arrays
    )
    with atomic_write(path) as file:
        file.write(archive.getbuffer())


def read_cam(path: str) -> CAM:
    """Read and check a CAM file.

    Args:
        path (str): File to read.

    Returns:
        CAM: Its maps in float16.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: One line that names the file, if it is not a whole CAM file (a ``ValueError``).
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.filename.removesuffix('.npy'): one for one in archive.infolist()}
            lists = ('classes', 'size', 'powers')
            small = {name: one for name, one in members.items() if name in lists}
            problem = _find_long_list(small)
            if problem is None:
                arrays = {name: _array(archive.read(one)) for name, one in small.items()}
                problem = _find_bomb(members, arrays)
            if problem is None:
                others = {name: one for name, one in members.items() if name not in small}
                arrays.update({name: _array(archive.read(one)) for name, one in others.items()})
                problem = find_problem(arrays)
    except FileNotFoundError:
        raise FileNotFoundError(f'no CAM file {path}: run the CAM stage (tools/test.py) for this split first') from None
    except zipfile.BadZipFile as error:
        problem = f'no .npz archive, or one that is cut short or altered: {first_line(error)}'
    except BROKEN as error:
        problem = first_line(error)
    if problem is not None:
        raise InputError(f'{path} is not a CAM file ({problem}): delete it and run the CAM stage again')
    maps = {name[len(PREFIX) :]: value for name, value in arrays.items() if name.startswith(PREFIX)}
    return CAM(
        maps,
        arrays['classes'].astype(np.int64),
        tuple(arrays['size'].tolist()),
        arrays.get('background'),
        arrays.get('powers'),
    )


def first_line(error: Exception) -> str:
    """What an error says, on one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _array(data: bytes) -> np.ndarray:
    """The array of an ``.npy`` file. The same few headers come again with every file: they are parsed once.

    Raises:
        ValueError: If it is none, is cut short, or holds pickled objects.
    """
    if not data.startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError('a member is no .npy array')
    width = 2 if data[6:8] == b'\x01\x00' else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], 'little')
    shape, fortran_order, dtype = _header(data[:start])
    count = math.prod(shape)
    if count * dtype.itemsize > len(data) - start:
        raise ValueError('an array is cut short')
    flat = np.frombuffer(data, dtype, count, start) if count else np.zeros(0, dtype)
    return flat.reshape(shape, order='F' if fortran_order else 'C').copy()


@lru_cache(1024)
def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an array, from the first bytes of its ``.npy`` file."""
    if len(data) > HEADER:
        raise ValueError('the header of an array is too long')
    file = io.BytesIO(data)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError(f'an array of version {version}')
    shape, fortran_order, dtype = read[version](file)
    if dtype.hasobject:
        raise ValueError('Object arrays cannot be loaded')
    return shape, fortran_order, dtype


def _find_long_list(small: Mapping[str, zipfile.ZipInfo]) -> str | None:
    """Which of the lists is longer than one of classes or powers can be, told before it is unpacked."""
    return next((f'{name} is no short list' for name, one in small.items() if one.file_size > HEADER + 8 * 2**15), None)


def _find_bomb(members: Mapping[str, zipfile.ZipInfo], small: Mapping[str, np.ndarray]) -> str | None:
    """What in an archive is larger than a CAM of its image can be, told before it is unpacked; None if nothing is."""
    if 'size' not in small or small['size'].shape != (2,) or not np.issubdtype(small['size'].dtype, np.integer):
        return find_problem(dict(small))
    height, width = (int(side) for side in small['size'])
    if height * width > max_pixels():
        return f'size is {height}x{width}, more pixels than {MAX_PIXELS_VARIABLE} allows'
    rows, columns = strided_size((height, width))
    maps = max(small.get('classes', np.zeros(0)).size, small.get('powers', np.zeros(0)).size, 1)
    for name, one in members.items():
        if one.file_size > HEADER + 8 * maps * max(rows * columns, 1):
            return f'{name} is larger than a map of the image'
    return None


def find_problem(arrays: dict[str, np.ndarray]) -> str | None:
    """What keeps arrays from being a CAM, in a few words; None if they are one."""
    for name in ('classes', 'size'):
        if name not in arrays or not np.issubdtype(arrays[name].dtype, np.integer) or arrays[name].ndim != 1:
            return f'{name} is missing or no list of whole numbers'
    classes, size = arrays['classes'].tolist(), arrays['size'].tolist()
    if len(size) != 2 or min(size) < 1:
        return f'size is {size}, not a height and a width'
    if len(set(classes)) < len(classes) or min(classes, default=0) < 0:
        return f'classes are {classes}, not different numbers from 0'
    shapes = {name: (len(classes), *strided_size(size)) for name in arrays if name.startswith(PREFIX)}
    if not shapes:
        return f'no array is named {PREFIX}<branch>'
    if len(shapes) > 1 and set(shapes) != {f'{PREFIX}spotlight', f'{PREFIX}compensation'}:
        return f'its maps are {", ".join(sorted(shapes))}, not one, nor those of spotlight and compensation'
    if ('background' in arrays) != ('powers' in arrays):
        return 'background and powers go together, but one of them is missing'
    foreign = sorted(set(arrays) - {*shapes, 'classes', 'size', 'background', 'powers'})
    if foreign:
        return f'nothing of a CAM is called {foreign[0]}'
    if 'background' in arrays:
        powers = arrays['powers']
        if powers.ndim != 1 or not np.issubdtype(powers.dtype, np.floating) or not (powers > 0).all():
            return 'powers is no list of positive numbers'
        if (np.diff(powers) >= 0).any():
            return f'powers are {powers.tolist()}, which do not descend'
        shapes['background'] = (powers.size, *strided_size(size))
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            return f'{name} has shape {arrays[name].shape}, not {shape}'
        if not np.issubdtype(arrays[name].dtype, np.floating) or not np.isfinite(arrays[name]).all():
            return f'{name} holds what is no finite number'
        low, high = arrays[name].min(initial=0), arrays[name].max(initial=0)
        # a walked background may be stronger than the foreground, whose largest score is 1
        if low < -ROUNDING or (high > 1 + ROUNDING and name != 'background'):
            return f'{name} has the value {low if low < -ROUNDING else high:g}, outside of [0, 1]'
    return None


def cam_is_valid(
    path: str, size: Sequence[int] | None = None, classes: Sequence[int] | None = None, num_classes: int | None = None
) -> bool:
    """Whether a whole CAM file stands at ``path``.

    Args:
        path (str): The file.
        size (Sequence[int], optional): Height and width of its image. Defaults to None: not checked.
        classes (Sequence[int], optional): The classes that it must have. Defaults to None: not checked.
        num_classes (int, optional): Classes of the data set, all of its own must be among. Defaults to None: not
            checked.
    """
    try:
        cam = read_cam(path)
    except (FileNotFoundError, InputError):
        return False
    return (
        (size is None or cam.size == tuple(size))
        and (classes is None or cam.classes.tolist() == sorted(int(index) for index in classes))
        and (num_classes is None or max(cam.classes.tolist(), default=0) < num_classes)
    )
