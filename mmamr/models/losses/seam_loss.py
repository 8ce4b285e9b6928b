"""Losses of SEAM (Wang et al., CVPR 2020, sections 3.2 and 3.4) between two scales of an image."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import check_number

EPS = 1e-5


class SEAMView(NamedTuple):
    """What the network says of one scale of the images, ``(N, ., H, W)`` at the size of that scale."""

    maps: Tensor  # class maps before ReLU, num_classes channels
    refined: Tensor  # maps of the pixel correlation module, 1 + num_classes channels, the background first


def max_norm(maps: Tensor) -> Tensor:
    """Bring each map ``(N, C, h, w)`` after a ReLU to [0, 1] by its minimum and maximum."""
    maps = maps.relu()
    low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    return (maps - low - EPS).relu() / (high - low + EPS)


def max_onehot(maps: Tensor) -> Tensor:
    """Set foreground classes to 0 where they are not the largest; the background, the first of the maps, stays.

    Args:
        maps (Tensor): ``(N, 1 + C, h, w)``.

    Returns:
        Tensor: ``(N, 1 + C, h, w)``.
    """
    background, classes = maps[:, :1], maps[:, 1:]
    return torch.cat([background, classes * (classes == classes.amax(1, keepdim=True))], 1)


def adaptive_min_pooling(maps: Tensor) -> Tensor:
    """Mean over the quarter of the pixels whose largest class is smallest: an object does not fill its image.

    Args:
        maps (Tensor): Foreground maps ``(N, C, h, w)`` of the classes that are present; 0 for the others.

    Returns:
        Tensor: A scalar.
    """
    largest = maps.amax(1).flatten(1)
    return largest.topk(max(largest.shape[1] // 4, 1), largest=False).values.relu().mean()


@MODELS.register_module()
class SEAMLoss(nn.Module):
    """Equivariant regularization (ER), equivariant cross regularization (ECR) and adaptive minimum pooling.

    ER is the mean difference of the maps of two scales. ECR compares the refined maps of each with the maps of the
    other, made one-hot and without gradient, over the pixels and classes where they differ most.

    Args:
        er_weight (float): Of ER. Defaults to 1.
        ecr_weight (float): Of ECR. Defaults to 1.
        min_weight (float): Of adaptive minimum pooling. Defaults to 1.
        ecr_ratio (float): Share of the pixels and classes that ECR counts, in (0, 1]. Defaults to 0.2.
    """

    def __init__(
        self, er_weight: float = 1.0, ecr_weight: float = 1.0, min_weight: float = 1.0, ecr_ratio: float = 0.2
    ) -> None:
        super().__init__()
        check_number('ecr_ratio', ecr_ratio, above=0, high=1)
        for name, value in (('er_weight', er_weight), ('ecr_weight', ecr_weight), ('min_weight', min_weight)):
            check_number(name, value, 0)
        self.er_weight = er_weight
        self.ecr_weight = ecr_weight
        self.min_weight = min_weight
        self.ecr_ratio = ecr_ratio

    def forward(self, views: Sequence[SEAMView], labels: Tensor) -> dict[str, Tensor]:
        """
        Args:
            views (Sequence[SEAMView]): The images, then their smaller scale, to whose size all is resized.
            labels (Tensor): Zeros and ones ``(N, num_classes)``.

        Returns:
            dict[str, Tensor]: ``loss_er``, ``loss_ecr`` and ``loss_min``, weighted.
        """
        classes = labels[:, :, None, None].float()
        height, width = views[-1].maps.shape[2:]
        (maps, refined), (small_maps, small_refined) = (self.prepare(view, classes, (height, width)) for view in views)
        minima = [adaptive_min_pooling(view.refined[:, 1:].float() * classes) for view in views]
        return dict(
            loss_er=self.er_weight * (maps[:, 1:] - small_maps[:, 1:]).abs().mean(),
            loss_ecr=self.ecr_weight * (self.cross(small_maps, refined) + self.cross(maps, small_refined)),
            loss_min=self.min_weight * torch.stack(minima).mean(),
        )

    @staticmethod
    def prepare(view: SEAMView, classes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Maps and refined maps of the present classes and the background, in [0, 1] and at one size."""
        maps, refined = (
            F.interpolate(max_norm(one.float()), size, mode='bilinear', align_corners=True)
            for one in (view.maps, view.refined)
        )
        maps = maps * classes
        background, refined = refined[:, :1], refined[:, 1:] * classes
        return torch.cat([1 - maps.amax(1, keepdim=True), maps], 1), torch.cat([background, refined], 1)

    def cross(self, maps: Tensor, refined: Tensor) -> Tensor:
        """ECR in one direction, ``maps`` the target."""
        difference = (max_onehot(maps.detach()) - refined).abs().flatten(1)
        return difference.topk(max(int(difference.shape[1] * self.ecr_ratio), 1)).values.mean()
