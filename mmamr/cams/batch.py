"""The CAMs of a batch of images from the class maps of a classifier."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmamr.structures import CAM, strided_size

from .maps import normalize_maps
from .multi_scale import ClassMaps, multi_scale_maps


def batch_cams(
    class_maps: ClassMaps,
    images: Tensor,
    classes: Sequence[Sequence[int]],
    scales: Sequence[float] = (1.0,),
    flip: bool = True,
) -> list[CAM]:
    """CAMs of images of one size, each for its own classes.

    Args:
        class_maps (Callable): Returns the maps ``(N, C, h, w)`` of each branch before ReLU, such as
            ``model.class_maps``.
        images (Tensor): Normalised images ``(N, 3, H, W)``.
        classes (Sequence[Sequence[int]]): Foreground classes of each image, counted from 0; none is allowed.
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether the mirror image is added at each scale. Defaults to True.

    Returns:
        list[CAM]: One an image, its classes ascending.
    """
    height, width = images.shape[2:]
    size = (height, width)
    sums = multi_scale_maps(class_maps, images, strided_size(size), scales, flip)
    cams = []
    for index, wanted in enumerate(classes):
        own = np.unique(np.asarray(wanted, dtype=np.int64))
        maps = {branch: normalize_maps(value[index, own.tolist()]).cpu().numpy() for branch, value in sums.items()}
        cams.append(CAM(maps, own, size))
    return cams
