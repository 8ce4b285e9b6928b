"""Photographs and masks read from files, with one line where a file is no good."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401  plugins register themselves

from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError

ImageInput = str | os.PathLike | np.ndarray

Image.preinit()
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM')
"""The formats that are opened; others, such as EPS, would start programs of their own."""
MAX_PIXELS_VARIABLE = 'MMAMR_MAX_PIXELS'
"""The environment variable that says how many pixels an image may have; 100 million if it is not set."""

# What PIL raises on files that are cut short, no image at all, too large or malformed.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


@contextmanager
def open_image(path: str) -> Iterator[Image.Image]:
    """Open an image file of one of :data:`FORMATS`; nothing is decoded before its size is known to be acceptable.

    Args:
        path (str): The file.

    Yields:
        PIL.Image.Image: The image.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If it is no regular file, or no image of these formats.
        DatasetError: If it has more pixels than :data:`MAX_PIXELS_VARIABLE` allows.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError('no regular file')
    limit = max_pixels()
    # ours is the limit, and its message names the file
    pillows, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        image = Image.open(path, formats=FORMATS)
    finally:
        Image.MAX_IMAGE_PIXELS = pillows
    with image:
        if image.width * image.height > limit:
            raise DatasetError(
                f'{path}: {image.width}x{image.height} are {image.width * image.height / 1e6:.0f} million pixels, more '
                f'than the {limit / 1e6:g} that are allowed; make it smaller, or set {MAX_PIXELS_VARIABLE}',
                kind='too large image',
            )
        yield image


def max_pixels() -> int:
    """How many pixels an image may have.

    Raises:
        InputError: If the environment variable is no positive number.
    """
    text = os.environ.get(MAX_PIXELS_VARIABLE, '100_000_000')
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(f'{MAX_PIXELS_VARIABLE}={text} in the environment is no number of pixels; set e.g. 100000000')
    return number


def read_image(path: str) -> np.ndarray:
    """Read a photograph of any mode (grey, palette, CMYK, 16 bit, with alpha) as 8-bit colour.

    Pixels are those of the file: an EXIF orientation is not applied, because masks and :func:`read_size` have none.

    Args:
        path (str): The file.

    Returns:
        np.ndarray: uint8 of shape ``(H, W, 3)``, channels in the order BGR, as everywhere in mmcv.

    Raises:
        DatasetError: If the file is missing, truncated or no image.
    """
    try:
        with open_image(path) as opened:
            image = opened
            if image.mode.startswith(('I', 'F')):
                # PIL would clip 16-bit grey to white instead of scaling it.
                image = Image.fromarray((np.asarray(image).clip(0, 65535).astype(np.uint16) >> 8).astype(np.uint8))
            elif 'transparency' in image.info:
                image = image.convert('RGBA')
            rgb = np.asarray(image.convert('RGB'))
    except FileNotFoundError:
        raise missing_image(path) from None
    except InputError:
        raise
    except BROKEN as error:
        raise broken_image(path, error) from None
    return np.ascontiguousarray(rgb[..., ::-1])


def read_rgb(image: ImageInput, channel_order: str = 'bgr') -> np.ndarray:
    """An image as RGB uint8 ``(H, W, 3)``.

    Args:
        image (str | PathLike | np.ndarray): A file, or uint8 of shape ``(H, W, 3)`` or, if grey, ``(H, W)``.
        channel_order (str): ``'bgr'`` or ``'rgb'``: of an array with colours. Defaults to 'bgr'.

    Returns:
        np.ndarray: The image.

    Raises:
        DatasetError: If the file is missing, truncated or no image.
        ValueError: If the array is no such image.
    """
    if channel_order not in ('bgr', 'rgb'):
        raise ValueError(f"channel_order must be 'bgr' or 'rgb', but got {channel_order!r}")
    if not isinstance(image, np.ndarray):
        image, channel_order = read_image(os.fspath(image)), 'bgr'
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f'an image must be uint8 of shape (H, W, 3) or (H, W), but got {image.dtype} of {image.shape}')
    return np.ascontiguousarray(image[..., ::-1] if channel_order == 'bgr' else image)


def read_size(path: str) -> tuple[int, int]:
    """Size ``(H, W)`` of an image from the header of its file; no pixel is decoded.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    try:
        with open_image(path) as image:
            return image.height, image.width
    except FileNotFoundError:
        raise missing_image(path) from None
    except InputError:
        raise
    except BROKEN as error:
        raise broken_image(path, error) from None


def read_mask(path: str, class_index: ClassIndex, size: Sequence[int] | None = None) -> np.ndarray:
    """Read a mask PNG, with palette or grey, as training indices.

    Args:
        path (str): The file.
        class_index (ClassIndex): Says what the stored values mean.
        size (Sequence[int], optional): Size ``(H, W)`` that the image has, to be checked. Defaults to None.

    Returns:
        np.ndarray: uint8 of shape ``(H, W)``: 0 background, 1 to K, 255 ignored.

    Raises:
        DatasetError: If the file is missing, broken, coloured, of another size, or has a value that no class has.
    """
    mask = read_stored_mask(path)
    if size is not None and mask.shape != tuple(size):
        raise DatasetError(
            f'{path}: the mask is {mask.shape[1]}x{mask.shape[0]}, its image {size[1]}x{size[0]}; '
            'make the mask at the size of the image',
            kind='mask of another size',
        )
    try:
        return class_index.encode_mask(mask)
    except DatasetError as error:
        raise DatasetError(f'{path}: {error}', kind=error.kind) from None


def read_truth(item: Mapping[str, Any], class_index: ClassIndex) -> np.ndarray | None:
    """The mask of an item of a data set.

    Args:
        item (Mapping): With ``img_path`` and, where there is a mask, ``seg_map_path``.
        class_index (ClassIndex): Of the data set.

    Returns:
        np.ndarray, optional: ``(H, W)``: 0 background, c + 1 foreground, 255 ignored; None where there is no mask.
    """
    if not item.get('seg_map_path'):
        return None
    return read_mask(item['seg_map_path'], class_index, read_size(item['img_path']))


def read_stored_mask(path: str) -> np.ndarray:
    """Read the values of a mask PNG ``(H, W)`` as they are stored.

    Raises:
        DatasetError: If the file is missing, broken or coloured.
    """
    try:
        with open_image(path) as image:
            if image.mode not in ('P', 'L', '1'):
                raise DatasetError(
                    f'{path}: the mask has mode {image.mode}, but must hold one class value a pixel; '
                    'save it as an indexed or 8-bit grey PNG',
                    kind='coloured mask',
                )
            return np.asarray(image).astype(np.uint8)
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such mask; put it there or set mask_dir', kind='missing mask') from None
    except InputError:
        raise
    except BROKEN as error:
        raise DatasetError(
            f'{path}: broken mask ({reason(error)}); make or copy it again', kind='broken mask'
        ) from None


def missing_image(path: str, split: str = 'its list') -> DatasetError:
    return DatasetError(f'{path}: no such image; put it there or drop it from {split}', kind='missing image')


def broken_image(path: str, error: Exception) -> DatasetError:
    return DatasetError(
        f'{path}: truncated or broken image ({reason(error)}); copy or download it again', kind='broken image'
    )


def reason(error: Exception) -> str:
    """Why PIL could not read a file, in a few words on one line."""
    if isinstance(error, UnidentifiedImageError):
        return 'no known image format'
    return (str(error).splitlines() or [type(error).__name__])[0]
