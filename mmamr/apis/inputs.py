"""What the functions for Python users take as photos."""

import os
import os.path as osp
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageOps

from mmamr.fileio import read_rgb
from mmamr.fileio.images import to_8_bit
from mmamr.utils import InputError

PHOTO_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff')
"""What is a photo in a folder, in any case."""

Photo = str | os.PathLike | np.ndarray | Image.Image | torch.Tensor


def photos_in(folder: str, apart: Sequence[str] = ()) -> list[str]:
    """The photos in a folder and below it, by their suffix, in the order of their names.

    Args:
        folder (str): The folder.
        apart (Sequence[str]): Folders below it that are not looked into. Defaults to none.

    Returns:
        list[str]: Their paths; hidden files and folders are left out.
    """
    skipped = {osp.realpath(path) for path in apart}
    found = []
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(
            name for name in folders if not name.startswith('.') and osp.realpath(osp.join(where, name)) not in skipped
        )
        found += [osp.join(where, name) for name in names if is_photo_name(name)]
    return sorted(found)


def is_photo_name(name: str) -> bool:
    """Whether a file of a folder is a photo, as far as its name says."""
    return not name.startswith('.') and osp.splitext(name)[1].lower() in PHOTO_SUFFIXES


def list_photos(inputs: Photo | Sequence[Photo]) -> list[Photo]:
    """Single photos from what a user gives.

    Args:
        inputs (Photo | Sequence): A photo, a folder of them, a tensor ``(N, 3, H, W)``, or several of these.

    Returns:
        list: Paths, arrays ``(H, W, 3)`` or ``(H, W)``, PIL images and tensors ``(3, H, W)``.

    Raises:
        InputError: If there is no photo in a folder.
        TypeError: If an input is none of these.
    """
    photos: list[Photo] = []
    for one in inputs if isinstance(inputs, (list, tuple)) else [inputs]:
        if isinstance(one, (str, os.PathLike)):
            path = osp.expanduser(os.fspath(one))
            if osp.isdir(path):
                found = photos_in(path)
                if not found:
                    raise InputError(f'{path}: no photo in it ({", ".join(PHOTO_SUFFIXES)}); name another folder')
                photos += found
            else:
                photos.append(path)
        elif isinstance(one, (np.ndarray, torch.Tensor)) and one.ndim == 4:
            photos += list(one)
        elif isinstance(one, (np.ndarray, torch.Tensor, Image.Image)):
            photos.append(one)
        else:
            raise TypeError(
                f'a photo is a path, a folder, an array, a PIL image or a tensor, but got {type(one).__name__}'
            )
    return photos


def read_photo(photo: Photo, channel_order: str = 'bgr') -> np.ndarray:
    """One photo as RGB uint8 ``(H, W, 3)``.

    Args:
        photo (str | PathLike | np.ndarray | PIL.Image.Image | Tensor): A file; a uint8 array ``(H, W, 3)`` or
            ``(H, W)``; a PIL image of any mode, which becomes what its file would; or an RGB or grey tensor
            ``(3, H, W)`` or ``(1, H, W)``, uint8 or floats in [0, 1].
        channel_order (str): ``'bgr'`` or ``'rgb'``: of an array. Defaults to 'bgr'.

    Returns:
        np.ndarray: The image.

    Raises:
        DatasetError: If the file is missing, truncated or no image.
        ValueError: If an array or a tensor is no such image.
    """
    if isinstance(photo, Image.Image):
        return read_rgb(_pil_rgb(photo), 'rgb')
    if isinstance(photo, torch.Tensor):
        return read_rgb(_tensor_rgb(photo), 'rgb')
    return read_rgb(photo, channel_order)


def _pil_rgb(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image) or image
    if image.mode.startswith(('I', 'F')):
        return to_8_bit(np.asarray(image))
    if 'transparency' in image.info:
        image = image.convert('RGBA')
    return np.asarray(image.convert('RGB'))


def _tensor_rgb(tensor: torch.Tensor) -> np.ndarray:
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3):
        raise ValueError(f'a tensor must be an RGB image of shape (3, H, W), but got {tuple(tensor.shape)}')
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        if not bool(((tensor >= 0) & (tensor <= 1)).all()):
            raise ValueError('a tensor of floats must lie in [0, 1], without normalisation; or give uint8')
        tensor = (tensor * 255).round().to(torch.uint8)
    array = tensor.numpy()
    return array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0))


def photo_title(photo: Photo, number: int) -> str:
    """What a photo is called in pictures and messages: the name of its file, else its number from 0."""
    return osp.basename(os.fspath(photo)) if isinstance(photo, (str, os.PathLike)) else f'photo {number}'


def result_names(photos: Sequence[tuple[str, str]]) -> list[str]:
    """What the results of photos are called: their names without the suffix, and more where that would be ambiguous.

    ``x.jpg`` and ``x.png`` become ``x.jpg`` and ``x.png``, and ``x.jpg`` of the folders ``a`` and ``b`` becomes
    ``a/x`` and ``b/x``. The names do not depend on the order.

    Args:
        photos (Sequence[tuple[str, str]]): Name below its folder, with ``/``, and path of each; the paths differ.

    Returns:
        list[str]: A name each, different even where a file system does not tell upper from lower case.
    """
    paths = [osp.abspath(path) for _, path in photos]
    names = [_stem(name) for name, _ in photos]
    for longer in (
        lambda same: [photos[i][0] for i in same],
        lambda same: [_stem(name) for name in _below_common(paths, same)],
        lambda same: _below_common(paths, same),
        lambda same: [f'{photos[i][0]}~{number}' for number, i in enumerate(sorted(same, key=paths.__getitem__), 1)],
    ):
        for same in _repeated(names):
            for index, name in zip(same, longer(same)):
                names[index] = name
    return names


def _stem(name: str) -> str:
    return osp.splitext(name)[0]


def _repeated(names: Sequence[str]) -> list[list[int]]:
    """Groups of indices whose names a file system may take for one."""
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name.casefold(), []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def _below_common(paths: Sequence[str], indices: Sequence[int]) -> list[str]:
    common = osp.commonpath([osp.dirname(paths[index]) for index in indices])
    return [osp.relpath(paths[index], common).replace(osp.sep, '/') for index in indices]
