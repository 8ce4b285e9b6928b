from typing import Any

import numpy as np
from PIL import Image

from mmamr.fileio import read_rgb
from mmamr.registry import TRANSFORMS

from .loading import LoadImage


@TRANSFORMS.register_module()
class InferencerLoader(LoadImage):
    """:class:`LoadImage` for inferencers, whose photos are files or arrays: what ``InferencerLoader`` is in mmseg.

    Of a photo that stands in ``img``, nothing is read. Arguments are those of :class:`LoadImage`.

    Required Keys:

    - img_path or img (np.ndarray): uint8 of shape ``(H, W, 3)``, BGR, or ``(H, W)``.

    Added Keys: those of :class:`LoadImage`.
    """

    def __call__(self, results: str | np.ndarray | dict) -> Any:
        """Load a photo, given as an item of a data set or by itself."""
        if isinstance(results, str):
            results = dict(img_path=results)
        elif isinstance(results, np.ndarray):
            results = dict(img=results)
        return super().__call__(results)

    def transform(self, results: dict) -> dict:
        """Load the image.

        Raises:
            DatasetError: If the file is missing, truncated or no image.
            ValueError: If the array is no such image.
        """
        if 'img' not in results:
            return super().transform(results)
        # whatever the order is, it stays; of a single pixel NumPy calls any strides contiguous, which torch does not
        image = read_rgb(results['img'], 'rgb').copy()
        own = image.shape[:2]
        limit = results.get('max_long_side', getattr(self, 'max_long_side', None))
        if limit is not None and max(own) > limit:
            size = tuple(max(1, round(side * limit / max(own))) for side in own[::-1])
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        shape = image.shape[:2]
        results.setdefault('img_path', None)
        results.update(img=image, img_shape=shape, bounded_shape=shape, ori_shape=own)
        return results
