from mmcv.transforms import BaseTransform

from mmamr.fileio import read_image
from mmamr.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Load a photograph of any mode as 8-bit BGR; a missing or truncated file ends with one line that names it.

    mmcv's ``LoadImageFromFile`` turns images by their EXIF orientation, which masks and image sizes do not follow,
    accepts some files that are cut short, and names neither file nor cure for the others.

    Required Keys:

    - img_path

    Added Keys:

    - img (np.ndarray): uint8 of shape ``(H, W, 3)``, BGR.
    - img_shape (tuple): ``(H, W)``.
    - ori_shape (tuple): ``(H, W)``.
    """

    def transform(self, results: dict) -> dict:
        """Load the image.

        Raises:
            DatasetError: If the file is missing, truncated or no image.
        """
        image = read_image(results['img_path'])
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


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
