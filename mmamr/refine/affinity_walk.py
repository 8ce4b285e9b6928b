"""AffinityNet's random walk: spread a CAM along the similarity of learnt pixel features."""

import torch
from torch import Tensor

from mmamr.utils import InputError

from .paths import displacements
from .transition import check_walk_arguments, overlap, propagate, transition_matrix

__all__ = ['affinity_walk', 'feature_affinity']


@torch.no_grad()
def affinity_walk(
    cam: Tensor, feature: Tensor, radius: int = 5, beta: float = 8, exp_times: int = 8, border: int | None = None
) -> Tensor:
    """Spread a CAM by a random walk on feature similarity (AffinityNet, Ahn & Kwak, CVPR 2018, section 3.3).

    Args:
        cam (Tensor): Class activation maps or any other scores, ``(C, h, w)``, of any floating point dtype.
        feature (Tensor): Feature of each pixel, ``(D, h, w)``.
        radius (int): Pixels less than this far apart are linked. Defaults to 5.
        beta (float): Power of the affinities. Defaults to 8.
        exp_times (int): The walk takes ``2**exp_times`` steps. Defaults to 8.
        border (int, optional): See :func:`feature_affinity`. Defaults to None.

    Returns:
        Tensor: ``(C, h, w)``, of the dtype and device of ``cam``.

    Raises:
        ValueError: If a shape, dtype or value is none of the above.
    """
    check_walk_arguments(cam, beta, exp_times)
    if feature.ndim != 3 or feature.shape[1:] != cam.shape[1:] or not len(feature):
        raise InputError(
            f'feature must be (D, h, w) of the size of cam, {tuple(cam.shape[1:])}, got {tuple(feature.shape)}'
        )
    if not feature.isfinite().all():
        raise InputError('feature must be finite, got NaN or infinity')
    feature = feature.to(cam.device, torch.promote_types(feature.dtype, torch.float32))
    affinity = feature_affinity(feature, radius, border).double()
    return propagate(cam, transition_matrix(affinity, displacements(radius), beta), 2**exp_times)


def feature_affinity(feature: Tensor, radius: int, border: int | None = None) -> Tensor:
    """Affinity of each pixel and its partners, ``exp(-mean |f_i - f_j|)`` (AffinityNet).

    Args:
        feature (Tensor): ``(D, h, w)``.
        radius (int): Pixels less than this far apart are pairs.
        border (int, optional): How many columns at the left and right and rows at the bottom are no source of a pair.
            None means ``radius - 1``, as in AffinityNet's code, so that all sources have all partners; a map no wider
            than twice that has no pair at all. 0 takes every pair of the map. Defaults to None.

    Returns:
        Tensor: ``(P, h, w)`` for the P ``displacements(radius)``, 0 where there is no pair.
    """
    offsets = displacements(radius)
    border = radius - 1 if border is None else border
    if border < 0:
        raise InputError(f'border must be at least 0, got {border}')
    height, width = feature.shape[1:]
    affinity = feature.new_zeros(len(offsets), height, width)
    for (dy, dx), values in zip(offsets, affinity):
        (rows, columns), (other_rows, other_columns) = overlap(height, width, dy, dx, border)
        difference = feature[:, rows, columns] - feature[:, other_rows, other_columns]
        values[rows, columns] = difference.abs_().mean(0).neg_().exp_()
    return affinity
