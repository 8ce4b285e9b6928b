"""The CAM file: both branches apart, un-mixed, float16 at stride 4.

One ``.npz`` (no pickle) an image, named after its id:

===================  ==================  ==========================================================================
array                type, shape         content
===================  ==================  ==========================================================================
``classes``          int16 ``(K, )``     foreground classes of the maps, counted from 0
``size``             int32 ``(2, )``     height and width of the image in pixels
``map.<branch>``     float16 ``(K,h,w)`` maps of one branch in [0, 1]: ReLU'd, the largest of each class 1 (0 if the
                                         class has no positive response); h = ⌈H/4⌉, w = ⌈W/4⌉
===================  ==================  ==========================================================================

``branch`` is ``spotlight`` or ``compensation`` from a classifier and ``walk`` after a random walk; CAMs that others made
may use any one name. A walk that carries the background along adds two more:

===================  ==================  ==========================================================================
``background``       float16 ``(P,h,w)`` scores of the background, one map for each of P powers
``powers``           float32 ``(P, )``   the powers, descending
===================  ==================  ==========================================================================
"""
import zipfile
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

import numpy as np

from mmamr.utils import atomic_write

STRIDE = 4
PREFIX = 'map.'


@dataclass
class CAM:
    """The class activation maps of one image.

    Args:
        maps (dict[str, np.ndarray]): Branch name to maps ``(K, h, w)`` in [0, 1].
        classes (np.ndarray): Foreground classes of the K maps, counted from 0.
        size (tuple[int, int]): Height and width of the image in pixels.
        background (np.ndarray, optional): Scores of the background ``(P, h, w)`` for each of P powers. Defaults to
            None: the background is what no map reaches a threshold in.
        powers (np.ndarray, optional): These powers, descending, ``(P, )``. Defaults to None.
    """

    maps: Dict[str, np.ndarray]
    classes: np.ndarray
    size: Tuple[int, int]
    background: Optional[np.ndarray] = None
    powers: Optional[np.ndarray] = None


def strided_size(size: Tuple[int, int]) -> Tuple[int, int]:
    """Size of a CAM for an image of ``size`` (H, W): each side divided by 4, rounded up."""
    return -(-size[0] // STRIDE), -(-size[1] // STRIDE)


def write_cam(path: str, cam: CAM) -> None:
    """Write a CAM file whole; the same CAM gives the same bytes.

    Args:
        path (str): File to write, ``.npz``.
        cam (CAM): What to write; maps are rounded to float16.
    """
    arrays = {PREFIX + name: np.asarray(maps, dtype=np.float16) for name, maps in sorted(cam.maps.items())}
    if cam.background is not None:
        arrays['background'] = np.asarray(cam.background, dtype=np.float16)
        arrays['powers'] = np.asarray(cam.powers, dtype=np.float32)
    with atomic_write(path) as file:
        np.savez(
            file, classes=np.asarray(cam.classes, dtype=np.int16), size=np.asarray(cam.size, dtype=np.int32), **arrays)


def read_cam(path: str) -> CAM:
    """Read and check a CAM file.

    Args:
        path (str): File to read.

    Returns:
        CAM: Its maps in float16.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line that names the file, if it is not a whole CAM file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise FileNotFoundError(f'no CAM file {path}: run the CAM stage (tools/test.py) for this split first') from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f'{path} is not a CAM file ({error}): delete it and run the CAM stage again') from None
    maps = {name[len(PREFIX):]: value for name, value in arrays.items() if name.startswith(PREFIX)}
    problem = None
    if not {'classes', 'size'} <= set(arrays) or arrays['size'].shape != (2, ) or arrays['classes'].ndim != 1:
        problem = 'classes or size are missing'
    elif not maps:
        problem = f'no array is named {PREFIX}<branch>'
    else:
        size = tuple(int(n) for n in arrays['size'])
        shape = (len(arrays['classes']), *strided_size(size))
        for name, value in maps.items():
            if value.shape != shape:
                problem = f'{PREFIX}{name} has shape {value.shape}, not {shape}'
        if 'background' in arrays:
            shape = (len(arrays.get('powers', ())), *strided_size(size))
            if arrays['background'].shape != shape:
                problem = f"background has shape {arrays['background'].shape}, not {shape}"
    if problem is not None:
        raise ValueError(f'{path} is not a CAM file ({problem}): delete it and run the CAM stage again')
    return CAM(maps, arrays['classes'].astype(np.int64), size, arrays.get('background'), arrays.get('powers'))


def cam_is_valid(path: str, size: Optional[Tuple[int, int]] = None) -> bool:
    """Whether a whole CAM file stands at ``path``, for an image of ``size`` (H, W) where that is given."""
    try:
        cam = read_cam(path)
    except (FileNotFoundError, ValueError):
        return False
    return size is None or cam.size == tuple(size)
