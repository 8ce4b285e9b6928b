from mmcv.transforms import BaseTransform

from mmamr.fileio import MAX_LONG_SIDE, read_image, read_size
from mmamr.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Load a photograph of any mode as 8-bit BGR; a missing or truncated file ends with one line that names it.

    Its EXIF orientation is applied. mmcv's ``LoadImageFromFile`` does so too, but accepts some files that are cut
    short, and names neither file nor cure for the others.

    Required Keys:

    - img_path
    - max_long_side (int, optional): Of the data set; in the place of the argument.

    Added Keys:

    - img (np.ndarray): uint8 of shape ``(h, w, 3)``, BGR, with a long side of ``max_long_side`` at most.
    - img_shape, bounded_shape (tuple): ``(h, w)``.
    - ori_shape (tuple): ``(H, W)`` of the photo, which is larger if that is bounded.

    Args:
        max_long_side (int, optional): Larger photos are made smaller. None bounds nothing. Defaults to 1024.
    """

    def __init__(self, max_long_side: int | None = MAX_LONG_SIDE) -> None:
        self.max_long_side = max_long_side

    def transform(self, results: dict) -> dict:
        """Load the image.

        Raises:
            DatasetError: If the file is missing, truncated or no image.
        """
        path, limit = results['img_path'], results.get('max_long_side', self.max_long_side)
        image = read_image(path, limit)
        shape = image.shape[:2]
        own = shape if limit is None or max(shape) < limit else read_size(path)
        results.update(img=image, img_shape=shape, bounded_shape=shape, ori_shape=own)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(max_long_side={self.max_long_side})'


@TRANSFORMS.register_module()
class KeepPhoto(BaseTransform):
    """Keep the photo as it was loaded, for what follows the network, such as a dense CRF.

    Required Keys:

    - img

    Added Keys:

    - photo (np.ndarray): uint8 of shape ``(H, W, 3)``, BGR.
    """

    def transform(self, results: dict) -> dict:
        """Keep the photo."""
        results['photo'] = results['img']
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
