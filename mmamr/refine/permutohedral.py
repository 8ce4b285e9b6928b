"""Gaussian filtering in high dimension on the permutohedral lattice (Adams, Baek & Davis, Eurographics 2010)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mmamr.utils import InputError

__all__ = ['PermutohedralLattice']


class PermutohedralLattice:
    """The lattice points around given features, and the filter over them.

    A value at a feature is shared out to the d + 1 corners of the simplex that holds it (splat), the corners exchange
    values along each of the d + 1 axes of the lattice (blur), and each feature collects from its corners (slice).
    Together that is nearly a Gaussian of standard deviation 1 in the space of the features, in time linear in their
    number.

    Each of the three is a weighted sum of rows at known indices, which :func:`torch.nn.functional.embedding_bag` does
    at the speed of memory on CPU and GPU.

    Args:
        features (Tensor): float32 of shape ``(N, d)``, in units of the standard deviation.

    Raises:
        ValueError: If the features spread so far that lattice points cannot be told apart in 63 bits.
    """

    def __init__(self, features: Tensor) -> None:
        origin, rank, shares = _simplices(features)
        number, axes = rank.shape
        dim = axes - 1

        # A point is known by its first d coordinates, as the sum of all is zero, and those are the digits of its code.
        # Corners and their neighbours lie less than 2 (d + 1) from the origin of the simplex in each coordinate.
        low = origin.amin(0) - 2 * axes
        extents = [int(extent) for extent in origin.amax(0) + 2 * axes - low + 1]
        if math.prod(extents) >= 2**63:
            raise InputError('the bandwidths are too small for the spread of the features: increase them')
        strides = torch.tensor([math.prod(extents[i + 1 :]) for i in range(dim)] + [0], device=features.device)
        # Corner k adds k to every coordinate and takes d + 1 from those with the k highest ranks.
        by_rank = torch.empty_like(rank).scatter_(1, rank, strides.expand(number, -1))
        codes = torch.empty_like(rank)
        codes[:, 0] = ((origin - low) * strides[:dim]).sum(1)
        codes[:, 1:] = strides.sum() - axes * by_rank.flip(1)[:, :dim]
        codes, order = codes.cumsum(1).flatten().sort(stable=True)
        points, place, counts = codes.unique_consecutive(return_inverse=True, return_counts=True)
        size = len(points)

        self._corners = torch.empty(number * axes, dtype=torch.int32, device=features.device)
        self._corners[order] = place.int()
        self._corners = self._corners.view(number, axes)
        self._shares = shares
        self._splat_pixels = order.div(axes, rounding_mode='floor').int()
        self._splat_shares = shares.flatten()[order]
        self._splat_offsets = (counts.cumsum(0) - counts).int()

        # Row `size` stands for the points that hold nothing: it is and stays zero.
        itself = torch.arange(size + 1, dtype=torch.int32, device=features.device)
        self._neighbours = []
        for axis in range(axes):
            neighbour = points + axes * strides[axis] - strides.sum()
            ahead = torch.searchsorted(points, neighbour).clamp_(max=size - 1)
            here = (points[ahead] == neighbour).nonzero().squeeze(1)
            ahead = ahead[here]
            triple = torch.stack([itself, torch.full_like(itself, size), torch.full_like(itself, size)], 1)
            triple[here, 1] = ahead.int()
            triple[ahead, 2] = here.int()
            self._neighbours.append(triple)
        self._blur_shares = features.new_tensor([1, 0.5, 0.5]).repeat(size + 1, 1)

    def filter(self, values: Tensor) -> Tensor:
        """Filter each channel.

        Args:
            values (Tensor): float32 of shape ``(N, C)``.

        Returns:
            Tensor: ``(N, C)``, up to a factor that is the same everywhere; a constant does not stay one.
        """
        points = F.embedding_bag(
            self._splat_pixels, values, self._splat_offsets, mode='sum', per_sample_weights=self._splat_shares
        )
        points = F.pad(points, (0, 0, 0, 1))
        for triple in self._neighbours:
            points = F.embedding_bag(triple, points, mode='sum', per_sample_weights=self._blur_shares)
        return F.embedding_bag(self._corners, points, mode='sum', per_sample_weights=self._shares)


def _simplices(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the simplex of the lattice around each feature.

    Args:
        features (Tensor): ``(N, d)``.

    Returns:
        tuple[Tensor, Tensor, Tensor]: The first d coordinates of the corner with remainder 0, int64 ``(N, d)``; the
        rank of each coordinate by its distance from that corner, the largest first, int64 ``(N, d + 1)``; and the
        barycentric coordinates of the corners with remainder 0 to d, ``(N, d + 1)``.
    """
    number, dim = features.shape
    axes = dim + 1
    # Into the hyperplane of d + 1 coordinates with sum zero; the scale makes splat, blur and slice together have the
    # standard deviation 1 there.
    count = torch.arange(1, axes, device=features.device)
    scaled = features * (math.sqrt(2 / 3) * axes / (count * (count + 1)).double().sqrt()).to(features.dtype)
    tails = scaled.flip(1).cumsum(1).flip(1)
    elevated = torch.cat([tails[:, :1], tails - scaled * (count + 1)], 1)

    # The closest point with remainder 0. Where rounding left the hyperplane, the coordinates that were rounded most go
    # one multiple of d + 1 back.
    origin = (elevated / axes).round().mul_(axes)
    rest = elevated - origin
    rank = torch.zeros(axes, number, dtype=torch.int64, device=features.device)
    for i in range(axes):
        for j in range(i + 1, axes):
            smaller = rest[:, i] < rest[:, j]
            rank[i] += smaller
            rank[j] += ~smaller
    rank = rank.T + origin.sum(1, keepdim=True).div_(axes).round_().long()
    turn = axes * ((rank < 0).long() - (rank > dim).long())
    rank += turn
    origin += turn

    ordered = torch.empty_like(elevated).scatter_(1, rank, (elevated - origin) / axes).flip(1)
    shares = ordered.diff(dim=1, prepend=ordered[:, -1:] - 1)
    return origin[:, :dim].long(), rank.contiguous(), shares
