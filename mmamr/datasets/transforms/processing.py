"""The random transforms that classifiers for CAMs are trained with and that neither mmcv nor mmpretrain has."""

import random
from collections.abc import Sequence

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from mmamr.compat import let_hues_be_negative
from mmamr.registry import TRANSFORMS
from mmamr.utils import SettingError

let_hues_be_negative()


def fill_like(image: np.ndarray, value: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """``image`` and the fill ``value`` in one dtype that holds both: the image's own, else float32."""
    fill = np.asarray(value, dtype=np.float32)
    if np.array_equal(fill, fill.astype(image.dtype)):
        return image, fill.astype(image.dtype)
    return image.astype(np.float32), fill


@TRANSFORMS.register_module()
class RandomLongSideResize(BaseTransform):
    """Resize so that the long side has a random length, both ends included; the aspect ratio stays.

    IRNet and the released AMR train with 320 to 640 and Pillow's bicubic filter.

    Required Keys:

    - img

    Modified Keys:

    - img
    - img_shape

    Args:
        long_side (Sequence[int]): Shortest and longest length in pixels. Defaults to (320, 640).
        interpolation (str): Filter of Pillow: 'nearest', 'bilinear', 'bicubic', 'box', 'lanczos' or 'hamming'.
            Defaults to 'bicubic'.

    Raises:
        ValueError: If the lengths are not ``0 < shortest <= longest``.
    """

    def __init__(self, long_side: Sequence[int] = (320, 640), interpolation: str = 'bicubic') -> None:
        shortest, longest = long_side
        if not 0 < shortest <= longest:
            raise SettingError(f'long_side must be (shortest, longest) with 0 < shortest <= longest, got {long_side}')
        self.long_side = (shortest, longest)
        self.interpolation = interpolation

    def transform(self, results: dict) -> dict:
        """Resize the image."""
        height, width = results['img'].shape[:2]
        scale = random.randint(*self.long_side) / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = mmcv.imresize(results['img'], size, interpolation=self.interpolation, backend='pillow')
        results.update(img=image, img_shape=image.shape[:2])
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(long_side={self.long_side}, interpolation='{self.interpolation}')"


@TRANSFORMS.register_module()
class RandomCropPad(BaseTransform):
    """Cut a square at a random place, or put a smaller image at a random place of it, each axis for itself.

    What the image does not cover gets ``pad_value``: with the mean that the data preprocessor subtracts, it is 0 after
    normalisation, as in IRNet and the released AMR.

    Required Keys:

    - img

    Modified Keys:

    - img
    - img_shape

    Args:
        size (int): Side of the square in pixels. Defaults to 512.
        pad_value (Sequence[float]): Colour around the image, in its channel order (BGR as loaded). An 8-bit image
            becomes float32 where these are no whole numbers. Defaults to (103.53, 116.28, 123.675), ImageNet's mean.

    Raises:
        ValueError: If ``size`` is not positive.
    """

    def __init__(self, size: int = 512, pad_value: Sequence[float] = (103.53, 116.28, 123.675)) -> None:
        if size < 1:
            raise SettingError(f'size must be positive, got {size}')
        self.size = size
        self.pad_value = tuple(pad_value)

    def _place(self, length: int) -> tuple[slice, slice]:
        """Where to read along an axis of the image, and where to write along the square's."""
        covered = min(length, self.size)
        offset = random.randint(0, abs(length - self.size))
        part, whole = slice(offset, offset + covered), slice(0, covered)
        return (part, whole) if length > self.size else (whole, part)

    def transform(self, results: dict) -> dict:
        """Crop and pad the image."""
        image, fill = fill_like(results['img'], self.pad_value)
        from_y, to_y = self._place(image.shape[0])
        from_x, to_x = self._place(image.shape[1])
        square = np.empty((self.size, self.size, 3), dtype=image.dtype)
        square[:] = fill
        square[to_y, to_x] = image[from_y, from_x]
        results.update(img=square, img_shape=square.shape[:2])
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, pad_value={self.pad_value})'


@TRANSFORMS.register_module()
class RandomSquareErase(BaseTransform):
    """Paint squares at random places, as the released AMR does when it trains the plain CAM classifier.

    Required Keys:

    - img

    Modified Keys:

    - img

    Args:
        num (int): How many squares; they may overlap. Defaults to 3.
        size (int): Side of a square in pixels; in an image that is smaller, it covers the whole axis. Defaults to 128.
        fill_value (Sequence[float]): Their colour, as ``pad_value`` of :class:`RandomCropPad`. Defaults to
            (103.53, 116.28, 123.675), ImageNet's mean.

    Raises:
        ValueError: If ``num`` or ``size`` is not positive.
    """

    def __init__(self, num: int = 3, size: int = 128, fill_value: Sequence[float] = (103.53, 116.28, 123.675)) -> None:
        if num < 1 or size < 1:
            raise SettingError(f'num and size must be positive, got {num} and {size}')
        self.num = num
        self.size = size
        self.fill_value = tuple(fill_value)

    def transform(self, results: dict) -> dict:
        """Paint the squares."""
        image, fill = fill_like(results['img'], self.fill_value)
        image = image.copy()
        for _ in range(self.num):
            y, x = (random.randint(0, max(0, length - self.size)) for length in image.shape[:2])
            image[y : y + self.size, x : x + self.size] = fill
        results['img'] = image
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num={self.num}, size={self.size}, fill_value={self.fill_value})'
