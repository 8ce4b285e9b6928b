"""IRNet's random walk: spread a CAM along the affinities that an edge map leaves."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmamr.utils import InputError

from .paths import displacements, path
from .transition import check_walk_arguments, propagate, transition_matrix

__all__ = ['edge_affinity', 'random_walk']


@torch.no_grad()
def random_walk(cam: Tensor, edge: Tensor, radius: int = 5, beta: float = 10, exp_times: int = 8) -> Tensor:
    """Spread a CAM by a random walk that does not cross edges (IRNet, Ahn et al., CVPR 2019).

    ``2**exp_times`` steps of the walk are applied to ``cam * (1 - edge)``. Time and memory grow with the number of
    pixels, not with its square: the matrix is sparse, and its powers are never made.

    Args:
        cam (Tensor): Class activation maps or any other scores, ``(C, h, w)``, of any floating point dtype.
        edge (Tensor): Probability in [0, 1] that a pixel lies on an edge between classes, ``(h, w)``.
        radius (int): Pixels less than this far apart are linked. Defaults to 5.
        beta (float): Power of the affinities; the larger, the fewer edges are crossed. Defaults to 10.
        exp_times (int): The walk takes ``2**exp_times`` steps. Defaults to 8.

    Returns:
        Tensor: ``(C, h, w)``, of the dtype and device of ``cam``.

    Raises:
        ValueError: If a shape, dtype or value is none of the above.

    Examples:
        >>> import torch
        >>> from mmamr.refine import random_walk
        >>> random_walk(torch.rand(2, 94, 125), torch.rand(94, 125)).shape
        torch.Size([2, 94, 125])
    """
    check_walk_arguments(cam, beta, exp_times)
    if edge.shape != cam.shape[1:]:
        raise InputError(f'edge must have the shape (h, w) of cam, {tuple(cam.shape[1:])}, got {tuple(edge.shape)}')
    if not ((edge >= -1e-3) & (edge <= 1 + 1e-3)).all():  # resizing may leave the bounds by a rounding error
        raise InputError('edge must lie in [0, 1]; a sigmoid gives that from logits')
    edge = edge.to(cam.device, torch.float64).clamp(0, 1)
    transition = transition_matrix(edge_affinity(edge, radius), displacements(radius), beta)
    start = cam * (1 - edge).to(torch.promote_types(cam.dtype, torch.float32))
    return propagate(start, transition, 2**exp_times).to(cam.dtype)


def edge_affinity(edge: Tensor, radius: int) -> Tensor:
    """Affinity of each pixel and its partners: one minus the strongest edge on the path between them (IRNet).

    Args:
        edge (Tensor): Edge probabilities, ``(h, w)``.
        radius (int): Pixels less than this far apart are pairs.

    Returns:
        Tensor: ``(P, h, w)`` for the P ``displacements(radius)``; 0 for partners outside of the map.
    """
    height, width = edge.shape
    offsets = displacements(radius)
    margin = radius - 1
    # Outside of the map everything is edge, so that no path leads there.
    padded = F.pad(edge, (margin, margin, 0, margin), value=1)
    barrier = edge.expand(len(offsets), height, width).clone()
    for (dy, dx), strongest in zip(offsets, barrier):
        for y, x in path(dy, dx):
            torch.maximum(strongest, padded[y : y + height, margin + x : margin + x + width], out=strongest)
    return 1 - barrier
