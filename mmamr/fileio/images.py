"""Photographs and masks read from files, with one line where a file is no good."""

import base64
import io
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401  WebP registers itself

from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError

ImageInput = str | os.PathLike | np.ndarray

Image.preinit()
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM')
"""The formats that are opened; others, such as EPS, would start programs of their own."""
MAX_PIXELS_VARIABLE = 'MMAMR_MAX_PIXELS'
"""The environment variable that says how many pixels an image may have; 100 million if it is not set."""
MAX_LONG_SIDE = 1024
"""Pixels of the long side that photos are worked on at, if nobody says otherwise."""
ORIENTATION, WIDTH, HEIGHT = 0x0112, 0x0100, 0x0101
"""Tags of EXIF and TIFF."""

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
    # a path would let Pillow map the pixels of a TIFF into memory, in wrong rows where an orientation swaps the sides
    with open(path, 'rb') as file:
        # ours is the limit, and its message names the file
        pillows, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(file, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = pillows
        with image:
            if image.width * image.height > limit:
                raise DatasetError(
                    f'{path}: {image.width}x{image.height} are {image.width * image.height / 1e6:.0f} million pixels, '
                    f'more than the {limit / 1e6:g} that are allowed; make it smaller, or set {MAX_PIXELS_VARIABLE}',
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


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation of an open image, from 1 (as it is) to 8; 1 where it has none, or one that cannot be read.

    Only what stands in front of the pixels is looked at: nothing is decoded.
    """
    try:
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            value = image.tag_v2.get(ORIENTATION)
        elif 'exif' in image.info:
            exif = Image.Exif()
            exif.load(image.info['exif'])
            value = exif.get(ORIENTATION)
        else:
            value = None
    except Exception:  # whatever a damaged header makes PIL raise, the pixels are still there
        return 1
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def turn(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn the pixels of a file ``(H, W, ...)`` as its EXIF orientation says, so that they are as people see them.

    Args:
        array (np.ndarray): As stored.
        orientation (int): From 1 to 8.

    Returns:
        np.ndarray: A view of it, ``(W, H, ...)`` for 5 to 8.
    """
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    rows = slice(None, None, -1) if orientation in (3, 4, 7, 8) else slice(None)
    columns = slice(None, None, -1) if orientation in (2, 3, 6, 7) else slice(None)
    return array[rows, columns]


def bounded_size(size: tuple[int, int], max_long_side: int | None) -> tuple[int, int]:
    """Size ``(H, W)`` that an image of ``size`` is worked on at: its long side is ``max_long_side`` at most."""
    if max_long_side is None or max(size) <= max_long_side:
        return size
    factor = max_long_side / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def read_image(path: str, max_long_side: int | None = None) -> np.ndarray:
    """Read a photograph of any mode (grey, palette, CMYK, 16 bit, float, with alpha) as 8-bit colour, as people see it.

    The EXIF orientation is applied, as :func:`read_size` does too. Of an animation or a file of several pages the first
    picture is read. More than 8 bits, and numbers that are no bytes, are scaled by :func:`to_8_bit`.

    Args:
        path (str): The file.
        max_long_side (int, optional): A larger photo is made smaller, so that its long side has so many pixels; a JPEG
            is not even decoded whole. Defaults to None: it is read at its own size.

    Returns:
        np.ndarray: uint8 of shape ``(H, W, 3)``, channels in the order BGR, as everywhere in mmcv.

    Raises:
        DatasetError: If the file is missing, truncated or no image.
    """
    try:
        with open_image(path) as image:
            wanted = bounded_size((image.height, image.width), max_long_side)
            if wanted != (image.height, image.width):
                image.draft(None, wanted[::-1])
            deep = image.format in ('PNG', 'TIFF') and any(';16' in str(tile[3]) for tile in getattr(image, 'tile', ()))
            image.load()
            if image.format == 'TIFF':  # PIL has turned it
                wanted = bounded_size((image.height, image.width), max_long_side)
            rgb = _rgb(image, path, deep)
            if rgb.size != wanted[::-1]:
                rgb = rgb.resize(wanted[::-1], Image.Resampling.BICUBIC)
            # what PIL has turned has no orientation any more
            array = turn(np.asarray(rgb), orientation_of(image))
    except FileNotFoundError:
        raise missing_image(path) from None
    except InputError:
        raise
    except BROKEN as error:
        raise broken_image(path, error) from None
    return np.ascontiguousarray(array[..., ::-1])


def _rgb(image: Image.Image, path: str, deep: bool) -> Image.Image:
    """The pixels of a loaded image in 8-bit RGB; ``deep`` if its file has 16 bits a channel."""
    if image.mode.startswith(('I', 'F')):
        return Image.fromarray(to_8_bit(np.asarray(image))).convert('RGB')
    colours = _deep_colours(image, path) if deep else None
    if colours is not None:
        return Image.fromarray(to_8_bit(colours))
    if 'transparency' in image.info:
        image = image.convert('RGBA')
    return image if image.mode == 'RGB' else image.convert('RGB')


def _deep_colours(image: Image.Image, path: str) -> np.ndarray | None:
    """Colours of 16 bits ``(H, W, 3)``, of which PIL gives the upper 8 alone; None where OpenCV cannot read them."""
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint16:
        return None
    colours = pixels[..., None].repeat(3, 2) if pixels.ndim == 2 else pixels[..., 2::-1]
    # whether OpenCV turns a TIFF depends on its version: PIL, which has done so, knows what is right
    right = np.asarray(image.convert('RGB'))
    for orientation in range(1, 9):
        turned = turn(colours, orientation)
        if turned.shape == right.shape and (turned >> 8 == right).all():
            return turned
    return None


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale numbers of any type to bytes, by the range that they really have.

    - Whole numbers from 0 to 65535 have 8, 10, 12, 14 or 16 bits: as few as hold the largest. The lowest are dropped.
    - Other numbers between 0 and 1 are multiplied by 255, those between 0 and 255 rounded.
    - All others are stretched from their smallest to their largest. Infinities are those, NaN is the smallest.

    Args:
        values (np.ndarray): Of any shape.

    Returns:
        np.ndarray: uint8 of the same shape.
    """
    finite = values if values.dtype.kind in 'iub' else values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.shape, dtype=np.uint8)
    low, high = finite.min(), finite.max()
    if values.dtype.kind in 'iub' and low >= 0 and high <= 65535:
        bits = next(bits for bits in (8, 10, 12, 14, 16) if high < 1 << bits)
        return (values.astype(np.uint16) >> (bits - 8)).astype(np.uint8)
    # float64: the difference of two int32 may not be one
    start, end = float(low), float(high)
    if start >= 0 and end <= 255 and values.dtype.kind == 'f':
        start, end = 0.0, 1.0 if end <= 1 else 255.0
    scaled = np.nan_to_num(values.astype(np.float64), nan=start, posinf=end, neginf=start) - start
    return np.rint(scaled * 255 / (end - start or 1)).clip(0, 255).astype(np.uint8)


def read_rgb(image: ImageInput, channel_order: str = 'bgr', max_long_side: int | None = None) -> np.ndarray:
    """An image as RGB uint8 ``(H, W, 3)``.

    Args:
        image (str | PathLike | np.ndarray): A file, or uint8 of shape ``(H, W, 3)`` or, if grey, ``(H, W)``.
        channel_order (str): ``'bgr'`` or ``'rgb'``: of an array with colours. Defaults to 'bgr'.
        max_long_side (int, optional): Of a file, see :func:`read_image`. Defaults to None.

    Returns:
        np.ndarray: The image.

    Raises:
        DatasetError: If the file is missing, truncated or no image.
        ValueError: If the array is no such image.
    """
    if channel_order not in ('bgr', 'rgb'):
        raise ValueError(f"channel_order must be 'bgr' or 'rgb', but got {channel_order!r}")
    if not isinstance(image, np.ndarray):
        image, channel_order = read_image(os.fspath(image), max_long_side), 'bgr'
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f'an image must be uint8 of shape (H, W, 3) or (H, W), but got {image.dtype} of {image.shape}')
    return np.ascontiguousarray(image[..., ::-1] if channel_order == 'bgr' else image)


def read_size(path: str) -> tuple[int, int]:
    """Size ``(H, W)`` of an image as people see it, from the header of its file; no pixel is decoded.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    return read_header(path)[0]


def read_orientation(path: str) -> int:
    """EXIF orientation of an image, from 1 (as it is) to 8, from the header of its file.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    return read_header(path)[1]


def read_header(path: str) -> tuple[tuple[int, int], int]:
    """Size ``(H, W)`` of an image with its EXIF orientation applied, and that orientation.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    try:
        with open_image(path) as image:
            width, height = image.size
            if isinstance(image, TiffImagePlugin.TiffImageFile):  # newer versions of PIL swap them by themselves
                width, height = image.tag_v2[WIDTH], image.tag_v2[HEIGHT]
            orientation = orientation_of(image)
            return ((width, height) if orientation >= 5 else (height, width)), orientation
    except FileNotFoundError:
        raise missing_image(path) from None
    except InputError:
        raise
    except BROKEN as error:
        raise broken_image(path, error) from None


def read_mask(
    path: str,
    class_index: ClassIndex,
    size: Sequence[int] | None = None,
    img_path: str | None = None,
    rotate: bool = False,
) -> np.ndarray:
    """Read a mask, indexed, grey or in colours, as training indices.

    Args:
        path (str): The file. An EXIF orientation of its own is applied.
        class_index (ClassIndex): Says what the stored values and colours mean.
        size (Sequence[int], optional): Size ``(H, W)`` that the image has, to be checked. Defaults to None.
        img_path (str, optional): The photo, for ``rotate`` and to say where a size differs because of its EXIF
            orientation. Defaults to None.
        rotate (bool): Whether a mask without an orientation of its own is turned as its photo is: it was drawn on the
            photo as stored. Defaults to False.

    Returns:
        np.ndarray: uint8 of shape ``(H, W)``: 0 background, 1 to K, 255 ignored.

    Raises:
        DatasetError: If the file is missing, broken, of another size, or has a value or colour that no class has.
    """
    mask, palette, orientation = open_mask(path)
    if rotate and orientation == 1 and img_path is not None:
        mask = np.ascontiguousarray(turn(mask, read_orientation(img_path)))
    if size is not None and mask.shape[:2] != tuple(size):
        raise _other_size(path, mask.shape[:2], tuple(size), img_path, rotate)
    try:
        return class_index.encode_mask(mask, palette)
    except DatasetError as error:
        raise DatasetError(f'{path}: {error}', kind=error.kind) from None


def _other_size(path: str, found: tuple, size: tuple, img_path: str | None, rotate: bool) -> DatasetError:
    """What to say of a mask of another size than its photo."""
    line = f'{path}: the mask is {found[1]}x{found[0]}, its image {size[1]}x{size[0]}'
    turned = img_path is not None and found == size[::-1] and read_orientation(img_path) >= 5
    if turned and rotate:
        cure = 'it was drawn on the photo as people see it, by its EXIF orientation; leave out rotate_masks=True'
    elif turned:
        cure = 'the photo has an EXIF orientation; if masks were drawn on the photos as stored, set rotate_masks=True'
    else:
        cure = 'make the mask at the size of the image'
    return DatasetError(f'{line}; {cure}', kind='mask of another size')


def read_truth(item: Mapping[str, Any], class_index: ClassIndex) -> np.ndarray | None:
    """The mask of an item of a data set.

    Args:
        item (Mapping): With ``img_path`` and, where there is a mask, ``seg_map_path``; with ``rotate_masks`` where
            masks were drawn on the photos as stored.
        class_index (ClassIndex): Of the data set.

    Returns:
        np.ndarray, optional: ``(H, W)``: 0 background, c + 1 foreground, 255 ignored; None where there is no mask.
    """
    if not item.get('seg_map_path'):
        return None
    photo = item['img_path']
    return read_mask(item['seg_map_path'], class_index, read_size(photo), photo, item.get('rotate_masks', False))


def read_mask_labels(path: str, class_index: ClassIndex) -> list[int]:
    """Image-level labels of a mask in any form that :func:`read_mask` reads, ascending.

    Raises:
        DatasetError: As :func:`read_mask`.
    """
    present = np.flatnonzero(np.bincount(read_mask(path, class_index).ravel(), minlength=256)).tolist()
    return [value - 1 for value in present if value not in (class_index.BACKGROUND, class_index.IGNORE)]


def read_stored_mask(path: str) -> np.ndarray:
    """Read the values of a mask PNG ``(H, W)`` as they are stored.

    Raises:
        DatasetError: If the file is missing, broken or coloured.
    """
    mask = open_mask(path)[0]
    if mask.ndim == 3:
        raise DatasetError(
            f'{path}: the mask has colours, but must hold one class value a pixel; save it as an indexed or 8-bit grey '
            'PNG',
            kind='coloured mask',
        )
    return mask


def open_mask(path: str) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Values ``(H, W)`` or colours ``(H, W, 3)`` of a mask, both uint8; its palette, if any; its own orientation."""
    try:
        with open_image(path) as image:
            palette = None
            orientation = orientation_of(image)
            image.load()
            left = orientation_of(image)  # PIL has turned a TIFF
            if image.mode == 'P' and image.getpalette() is not None:
                palette = np.asarray(image.getpalette('RGB'), dtype=np.uint8).reshape(-1, 3)
            if image.mode in ('LA', 'PA', 'RGBA', 'RGBX', 'CMYK'):
                image = image.convert('L' if image.mode == 'LA' else 'RGB')
            mask = np.asarray(image)
            if mask.ndim == 2 and mask.dtype != np.uint8:
                if mask.dtype != bool and not ((mask >= 0) & (mask <= 255) & (mask % 1 == 0)).all():
                    raise DatasetError(
                        f'{path}: the mask has values up to {mask.max():g}, but a class is a whole number up to 255; '
                        'save it as an indexed or 8-bit grey PNG',
                        kind='unknown mask value',
                    )
                mask = mask.astype(np.uint8)
            return np.ascontiguousarray(turn(mask, left)), palette, orientation
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such mask; put it there or set mask_dir', kind='missing mask') from None
    except InputError:
        raise
    except BROKEN as error:
        raise DatasetError(
            f'{path}: broken mask ({reason(error)}); make or copy it again', kind='broken mask'
        ) from None


def png_pixels(text: str) -> np.ndarray | None:
    """The pixels that are not black in a small PNG of base64 text, as LabelMe keeps masks in its JSON.

    Returns:
        np.ndarray, optional: bool ``(H, W)``; None where the text is none, or the PNG is broken or too large.
    """
    try:
        with Image.open(io.BytesIO(base64.b64decode(text)), formats=['PNG']) as image:
            if image.width * image.height > max_pixels():
                return None
            return np.asarray(image.convert('L')) > 0
    except BROKEN:
        return None


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
