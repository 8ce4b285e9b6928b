"""Where objects are at all: a linear discriminant of a network's features, learned from the CAMs of all photos.

A CAM rests on the last layer, which has learned what tells classes apart and looks at the most telling part of an
object. Features of earlier layers know less of classes and more of what a whole object looks like, and over all photos
together CAMs are right more often than wrong. So the features of all pixels are projected onto Fisher's discriminant
between what the CAMs cover and what they leave, which covers objects more wholly; and the better maps give a better
discriminant. There is nothing to train, and no mask takes part.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmamr.structures import CAM
from mmamr.utils import InputError

from .maps import normalize_maps

UNIT = 2**28
LARGEST = 2**14
"""Sums of moments are whole numbers of 1 / UNIT, in which an order of photos leaves no trace; larger moments of a photo
would not fit for a million photos."""
EPS = 1e-3


class FeatureMoments:
    """Sums over photos of what :func:`discriminant` needs; the same for any order of the photos.

    Each photo counts the same, whatever its size. For a photo of n pixels with features f and foreground scores w these
    are the means of f fᵀ, f, w f and w.

    Args:
        sums (Tensor, optional): int64 ``(C + 3, C)``: f fᵀ, then f, w f, and (number of photos, w, 0, ...), in units of
            2⁻²⁸. Defaults to None: nothing was added yet.
    """

    def __init__(self, sums: Tensor | None = None) -> None:
        self.sums = sums

    def add(self, features: Tensor, foreground: Tensor) -> None:
        """Add a photo.

        Args:
            features (Tensor): ``(C, h, w)``, at least two channels.
            foreground (Tensor): How much of each pixel is an object, ``(h, w)`` in [0, 1].

        Raises:
            InputError: If features are not finite or too large.
        """
        channels = len(features)
        flat = features.double().reshape(channels, -1)
        weights = foreground.double().reshape(-1).clamp(0, 1)
        count = max(len(weights), 1)
        counts = flat.new_zeros(channels)
        counts[0], counts[1] = 1, weights.sum() / count
        sums = torch.cat(
            [flat @ flat.T / count, flat.sum(1)[None] / count, (flat @ weights)[None] / count, counts[None]]
        ).cpu()
        if not sums.isfinite().all() or sums.abs().max() > LARGEST:
            raise InputError(
                f'the features are too large for a discriminant, or not finite (means of squares up to '
                f'{sums.abs().max().item():.3g}): choose other layers'
            )
        whole = (sums * UNIT).round().long()
        self.sums = whole if self.sums is None else self.sums + whole


def discriminant(moments: FeatureMoments, regularization: float = 0.1) -> tuple[Tensor, Tensor] | None:
    """Fisher's linear discriminant between foreground and background.

    Args:
        moments (FeatureMoments): Over all photos.
        regularization (float): Share of the mean variance of a channel that is added to each. Defaults to 0.1.

    Returns:
        tuple[Tensor, Tensor] | None: Its direction v and the mean of the features, float32 ``(C, )`` each. None where
        all or nothing is foreground, and nothing tells the two apart.
    """
    if moments.sums is None:
        return None
    sums = moments.sums.double() / UNIT
    channels = sums.shape[1]
    photos, weight = sums[-1, 0], sums[-1, 1]
    if not 0 < weight < photos:
        return None
    mean, weighted = sums[channels] / photos, sums[channels + 1]
    foreground, background = weighted / weight, (sums[channels] - weighted) / (photos - weight)
    scatter = sums[:channels] / photos - mean[:, None] * mean
    ridge = regularization * scatter.diagonal().mean().clamp(min=1 / UNIT)
    direction = torch.linalg.solve(scatter + ridge * torch.eye(channels, dtype=scatter.dtype), foreground - background)
    return direction.float(), mean.float()


def project(features: Tensor, direction: Tensor, mean: Tensor) -> Tensor:
    """Features of a photo along a discriminant, ``(C, h, w)`` to ``(h, w)``; objects are above 0."""
    return torch.einsum('chw,c->hw', features.float() - mean[:, None, None], direction)


def foreground_of(features: Sequence[Tensor], axes: Sequence[tuple[Tensor, Tensor]], size: tuple[int, int]) -> Tensor:
    """What several layers say together of where objects are in a photo.

    Args:
        features (Sequence[Tensor]): Of one photo, a map ``(C, h, w)`` a layer.
        axes (Sequence[tuple[Tensor, Tensor]]): What :func:`discriminant` gave for each layer.
        size (tuple[int, int]): Height and width to reach.

    Returns:
        Tensor: ``(H, W)`` in [0, 1]; each layer counts the same.
    """
    total = features[0].new_zeros(size, dtype=torch.float32)
    for maps, (direction, mean) in zip(features, axes):
        along = project(maps, direction.to(maps.device), mean.to(maps.device))
        along = along / along.amax().clamp(min=EPS)
        total = total + F.interpolate(along[None, None], size, mode='bilinear', align_corners=False)[0, 0]
    return normalize_maps(total)


def spread_cam(cam: CAM, maps: np.ndarray, foreground: Tensor, weight: float = 0.8) -> CAM:
    """A CAM that covers the foreground.

    Each class gets ``(1 - weight) CAM + weight * foreground * share``, divided by its maximum, where ``share`` is its
    CAM divided by the largest of all classes there: where a photo shows several classes, the CAMs decide between them;
    where no CAM says anything, the foreground counts for all.

    Args:
        cam (CAM): Of a photo; classes and size are taken from it.
        maps (np.ndarray): Its maps, mixed: ``(K, h, w)``.
        foreground (Tensor): That of :func:`foreground_of`, ``(h, w)``.
        weight (float): Of the foreground, in [0, 1]. Defaults to 0.8.

    Returns:
        CAM: One branch, ``foreground``.
    """
    own = torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float32))
    if len(own):
        share = (own + EPS) / (own.amax(0, keepdim=True) + EPS)
        own = normalize_maps((1 - weight) * own + weight * share * foreground.cpu())
    return CAM({'foreground': own.numpy()}, cam.classes, cam.size)
