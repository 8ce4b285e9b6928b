"""The sparse transition matrix of a random walk on pixels, and many steps of it at once.

A pixel is linked to itself and to the pixels within a small radius only, so the matrix has a few dozen entries a row.
The walk needs the product of a power of it with a few channels, never that power itself.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmamr.utils import InputError, check_keys, check_number

__all__ = ['check_walk', 'check_walk_arguments', 'overlap', 'propagate', 'transition_matrix']

LARGEST_RADIUS = 64
LARGEST_EXP_TIMES = 20

Window = tuple[slice, slice]


def transition_matrix(affinity: Tensor, displacements: Sequence[tuple[int, int]], beta: float) -> Tensor:
    """Make the transition matrix of a walk from the affinities of pairs.

    The affinity matrix is symmetric, 1 on its diagonal, raised to the power ``beta`` and normalised so that every
    column sums to one (AffinityNet, Ahn & Kwak, CVPR 2018, section 3.3). What comes back is its transpose, which acts
    on pixels as rows.

    Args:
        affinity (Tensor): Affinity in [0, 1] of each pixel and the one ``displacements[p]`` away from it,
            ``(P, h, w)``; 0 where there is no such pixel.
        displacements (Sequence[tuple[int, int]]): ``P`` offsets ``(dy, dx)``, one of each pair ``±(dy, dx)``.
        beta (float): Power of the affinities, larger than 0.

    Returns:
        Tensor: Sparse CSR ``(h * w, h * w)``; its rows sum to one.
    """
    height, width = affinity.shape[1:]
    stencil = [(-dy, -dx) for dy, dx in displacements] + [(0, 0)] + list(displacements)
    order = sorted(range(len(stencil)), key=stencil.__getitem__)  # columns of a CSR row ascend
    place = {stencil[p]: slot for slot, p in enumerate(order)}

    weights = affinity.new_zeros(len(stencil), height, width)
    weights[place[0, 0]] = 1
    for (dy, dx), weight in zip(displacements, affinity**beta):
        weights[place[dy, dx]] = weight
        source, target = overlap(height, width, dy, dx)
        weights[place[-dy, -dx]][target] = weight[source]
    weights /= weights.sum(0)

    offsets = torch.tensor([stencil[p] for p in order], device=affinity.device)
    index_type = torch.int32 if weights.numel() < 2**31 else torch.int64
    pixels = torch.arange(height * width, dtype=index_type, device=affinity.device).view(height, width, 1)
    rows = torch.arange(height, device=affinity.device)[:, None] + offsets[:, 0]
    columns = torch.arange(width, device=affinity.device)[:, None] + offsets[:, 1]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    ends = inside.sum(-1, dtype=index_type).view(-1).cumsum(0, dtype=index_type)
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='Sparse CSR tensor support is in beta state')
        return torch.sparse_csr_tensor(
            torch.cat([ends.new_zeros(1), ends]),
            (pixels + (offsets[:, 0] * width + offsets[:, 1]).to(index_type)).masked_select(inside),
            weights.permute(1, 2, 0).contiguous().masked_select(inside),
            size=(height * width, height * width),
            check_invariants=False,
        )


def overlap(height: int, width: int, dy: int, dx: int, border: int = 0) -> tuple[Window, Window]:
    """Slices of the pixels that have a partner ``(dy, dx)`` away within the map, and of those partners.

    Args:
        height (int): Height of the map.
        width (int): Width of the map.
        dy (int): Rows down, at least 0.
        dx (int): Columns to the right.
        border (int): How many columns left and right and rows at the bottom hold no source. Defaults to 0.

    Returns:
        tuple: ``(rows, columns)`` of the sources and of the targets. Both are empty where there is no pair.
    """
    top, bottom = 0, max(min(height - border, height - dy), 0)
    left = max(border, -dx)
    right = max(min(width - border, width - dx), left)
    if left >= width or right + dx <= 0 or bottom == 0:
        return (slice(0, 0), slice(0, 0)), (slice(0, 0), slice(0, 0))
    return (slice(top, bottom), slice(left, right)), (slice(top + dy, bottom + dy), slice(left + dx, right + dx))


def propagate(cam: Tensor, transition: Tensor, steps: int) -> Tensor:
    r"""Take ``steps`` steps of a walk.

    The matrix is similar to a symmetric one, hence its spectrum is real and lies in [-1, 1], where :math:`x^n` is a sum
    of Chebyshev polynomials. Those of a degree above about :math:`\sqrt{2 n \ln(1 / \epsilon)}` do not reach the
    rounding error :math:`\epsilon` of the result, which leaves 88 products of 256 in float32. They are computed in
    float64 all the same: rounding grows with the number of steps, to 1e-4 in float32.

    Args:
        cam (Tensor): ``(C, h, w)``. Half precision gets a result as exact as float32.
        transition (Tensor): Result of :func:`transition_matrix`, float64, on the device of ``cam``.
        steps (int): Number of steps, at least 1.

    Returns:
        Tensor: ``(C, h, w)`` of the dtype of ``cam``. Each value is an average of the channel's values and lies between
        their extremes.
    """
    start = cam.double().flatten(1).T.contiguous()
    tolerance = min(torch.finfo(cam.dtype).eps, torch.finfo(torch.float32).eps)
    weights = chebyshev_weights(steps, tolerance)
    with torch.autocast(cam.device.type, enabled=False):
        before, now = start, transition @ start
        out = weights[0] * before + weights[1] * now
        for weight in weights[2:]:
            before, now = now, torch.addmm(before, transition, now, beta=-1, alpha=2)
            if weight:
                out.add_(now, alpha=weight)
    # An average stays between the extremes; the polynomial does so up to rounding.
    out = torch.minimum(torch.maximum(out, start.amin(0)), start.amax(0))
    return out.T.reshape(cam.shape).to(cam.dtype)


def chebyshev_weights(power: int, tolerance: float) -> list[float]:
    r"""Expand :math:`x^n` in Chebyshev polynomials :math:`T_k`, up to where the weights fall below ``tolerance``.

    The weight of :math:`T_k` is :math:`2^{1-n} \binom{n}{(n-k)/2}` for k of the parity of n, half of it for k = 0, and
    0 for the others. The weights kept are scaled to the sum 1, so that the eigenvalue 1 stays 1.

    Args:
        power (int): n, at least 1.
        tolerance (float): Smallest weight that is kept, relative to the largest.

    Returns:
        list[float]: Weights of :math:`T_0, T_1, \dots`, two at least.
    """
    weights = [0.0, 0.0]
    binomial = 1.0  # relative to the largest one
    for k in range(power % 2, power + 1, 2):
        if binomial < tolerance:
            break
        weights += [0.0] * (k + 1 - len(weights))
        weights[k] = binomial if k == 0 else 2 * binomial
        binomial *= (power - k) / (power + k + 2)
    total = sum(weights)
    return [weight / total for weight in weights]


def check_walk(options: Any, name: str = '') -> None:
    """Refuse settings that no random walk can have.

    Args:
        options (Any): A dict with some of ``radius``, ``beta``, ``exp_times`` and ``border``.
        name (str): The setting that is this dict, for the message. Defaults to ''.

    Raises:
        SettingError: Names what is wrong.
    """
    check_keys(name or 'a walk', options, ('radius', 'beta', 'exp_times', 'border'))
    prefix = f'{name}.' if name else ''
    if 'radius' in options:
        check_number(f'{prefix}radius', options['radius'], 1, LARGEST_RADIUS, whole=True)
    if 'beta' in options:
        check_number(f'{prefix}beta', options['beta'], above=0)
    if 'exp_times' in options:
        check_number(f'{prefix}exp_times', options['exp_times'], 0, LARGEST_EXP_TIMES, whole=True)
    if options.get('border') is not None:
        check_number(f'{prefix}border', options['border'], 0, whole=True)


def check_walk_arguments(cam: Tensor, beta: float, exp_times: int) -> None:
    """Raise ValueError where the arguments that all walks have in common cannot be used."""
    if cam.ndim != 3 or cam.shape[1] * cam.shape[2] == 0:
        raise InputError(f'cam must be (C, h, w) with at least one pixel, got {tuple(cam.shape)}')
    if not cam.is_floating_point():
        raise InputError(f'cam must be of a floating point dtype, got {cam.dtype}')
    if not cam.isfinite().all():
        raise InputError('cam must be finite, got NaN or infinity')
    check_walk(dict(beta=beta, exp_times=exp_times))
