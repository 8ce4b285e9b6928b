"""Class maps of a batch of images over several scales and their mirror images."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ClassMaps = Callable[[Tensor], dict[str, Tensor]]


def resize_images(images: Tensor, scale: float) -> Tensor:
    """Resize images bicubically with antialiasing, as PIL does; scale 1 returns them untouched.

    Args:
        images (Tensor): ``(N, 3, H, W)``.
        scale (float): Each side is multiplied by it and rounded, to 1 pixel at least.

    Returns:
        Tensor: ``(N, 3, H', W')``.
    """
    size = tuple(max(round(side * scale), 1) for side in images.shape[2:])
    if size == tuple(images.shape[2:]):
        return images
    return F.interpolate(images, size, mode='bicubic', align_corners=False, antialias=True)


def multi_scale_maps(
    class_maps: ClassMaps, images: Tensor, size: tuple[int, int], scales: Sequence[float] = (1.0,), flip: bool = True
) -> dict[str, Tensor]:
    """Sum of the ReLU'd class maps over scales and mirror images (row C5).

    The result for one image does not depend on the others of the batch, as long as ``class_maps`` does not.

    Args:
        class_maps (Callable): Returns the maps ``(N, C, h, w)`` of each branch before ReLU, such as
            ``model.class_maps``.
        images (Tensor): Normalised images of one size, ``(N, 3, H, W)``.
        size (tuple[int, int]): Height and width of the result.
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether the mirror image is added at each scale. Defaults to True.

    Returns:
        dict[str, Tensor]: Branch name to ``(N, C, *size)`` in float32, not normalised.
    """
    sums: dict[str, Tensor] = {}
    for scale in scales:
        views = resize_images(images, scale)
        if flip:
            views = torch.cat([views, views.flip(3)])
        views = views.contiguous(memory_format=torch.channels_last)
        for branch, maps in class_maps(views).items():
            maps = maps.float().relu()
            if flip:
                maps, mirrored = maps.chunk(2)
                maps = maps + mirrored.flip(3)
            maps = F.interpolate(maps, size, mode='bilinear', align_corners=False)
            sums[branch] = sums[branch] + maps if branch in sums else maps
    return sums
