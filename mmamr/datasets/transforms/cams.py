from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmamr.cams import mix, read_cam, upsample
from mmamr.refine import affinity_label_affinitynet, affinity_label_irnet, crf_label
from mmamr.registry import TRANSFORMS
from mmamr.utils import InputError


@TRANSFORMS.register_module()
class LoadCAM(BaseTransform):
    """Load the CAM file of an image, mix its branches and resize the maps to the image.

    Required Keys:

    - img_id
    - img_shape

    Added Keys:

    - cam (np.ndarray): float32 ``(K, H, W)`` in [0, 1].
    - cam_classes (np.ndarray): classes of the K maps, counted from 0.

    Args:
        cam_dir (str): Folder of the CAM files.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
    """

    def __init__(self, cam_dir: str, xi: float = 0.5) -> None:
        self.cam_dir = cam_dir
        self.xi = xi

    def transform(self, results: dict) -> dict:
        """Load the CAM.

        Raises:
            FileNotFoundError: If there is no CAM file for the image.
            InputError: If it is broken or of another size.
        """
        path = f'{self.cam_dir}/{results["img_id"]}.npz'
        cam = read_cam(path)
        if cam.size != tuple(results['img_shape']):
            raise InputError(
                f'{path} was made of an image of {cam.size}, but {results["img_path"]} has '
                f'{tuple(results["img_shape"])}: make the CAMs of this data set again'
            )
        results['cam'] = upsample(mix(cam, self.xi), cam.size)
        results['cam_classes'] = cam.classes
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(cam_dir={self.cam_dir!r}, xi={self.xi})'


@TRANSFORMS.register_module()
class MakeAffinityLabel(BaseTransform):
    """Where a CAM is surely foreground or background, from its maps and a dense CRF (row P1).

    Required Keys:

    - img (BGR)
    - cam
    - cam_classes

    Added Keys:

    - affinity_label (np.ndarray): uint8 ``(H, W)``: 0 background, c + 1 foreground, 255 where neither is sure.

    Args:
        method (str): ``'irnet'``: two thresholds, :func:`mmamr.refine.affinity_label_irnet`. ``'affinitynet'``: two
            background powers, :func:`mmamr.refine.affinity_label_affinitynet`. ``'crf'``: one threshold, so that all
            pixels are taken for sure, :func:`mmamr.refine.crf_label`. Defaults to ``'irnet'``.
        **options: Of that function, e.g. ``fg_threshold``, ``bg_threshold``, or ``low_alpha``, ``high_alpha``, or
            ``threshold``; ``backend``, or single parameters of the CRF.
    """

    METHODS = {'irnet': affinity_label_irnet, 'affinitynet': affinity_label_affinitynet, 'crf': crf_label}

    def __init__(self, method: str = 'irnet', **options) -> None:
        if method not in self.METHODS:
            raise ValueError(f'method must be one of {tuple(self.METHODS)}, but got {method!r}')
        self.method = method
        self.options = options

    def transform(self, results: dict) -> dict:
        """Make the label."""
        image = np.ascontiguousarray(results['img'][..., ::-1])
        results['affinity_label'] = self.METHODS[self.method](
            image, results['cam'], results['cam_classes'], **self.options
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(method={self.method!r}, options={self.options})'


@TRANSFORMS.register_module()
class KeepKeys(BaseTransform):
    """Keep some keys of the results and nothing else, for loops that need no tensors.

    Args:
        keys (Sequence[str]): The keys.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)

    def transform(self, results: dict) -> dict:
        """Keep :attr:`keys`."""
        return {key: results[key] for key in self.keys}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(keys={self.keys})'
