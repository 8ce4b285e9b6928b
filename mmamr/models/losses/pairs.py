"""Pairs of pixels within a radius, as shifted views of a map: nothing is indexed, nothing is copied.

The sources of all pairs are the pixels from which every displacement stays inside the map, so the views of all
displacements have one shape, ``(h - r, w - 2r)`` with ``r = radius - 1``. A map smaller than that has no pairs.
"""

import torch
from torch import Tensor

from mmamr.utils import check_number

# What a pair is, by the labels of its two pixels.
IGNORED, BACKGROUND, FOREGROUND, DIFFERENT = range(4)
IGNORED_LABEL = 255


def check_radius(radius: int) -> int:
    """Give ``radius`` back, or raise ValueError where it is no whole number of at least 2: below that are no pairs."""
    check_number('radius', radius, 2, whole=True)
    return int(radius)


def shift(x: Tensor, dy: int, dx: int, radius: int) -> Tensor:
    """View of ``x`` at the sources moved by ``(dy, dx)``.

    Args:
        x (Tensor): Map of shape ``(..., h, w)``.
        dy (int): Rows down, from 0 to ``radius - 1``.
        dx (int): Columns to the right, from ``1 - radius`` to ``radius - 1``.
        radius (int): Radius of the pairs in pixels of the map.

    Returns:
        Tensor: View of shape ``(..., h - r, w - 2r)``, ``r = radius - 1``; empty where the map is too small.
    """
    margin = radius - 1
    height, width = max(x.shape[-2] - margin, 0), max(x.shape[-1] - 2 * margin, 0)
    return x[..., dy : dy + height, margin + dx : margin + dx + width]


def pair_labels(segmap: Tensor, dy: int, dx: int, radius: int) -> Tensor:
    """Say of each pair whether its labels are equal (background, foreground) or different.

    Args:
        segmap (Tensor): Labels of shape ``(N, h, w)``; 0 is background, 255 is ignored.
        dy (int): Rows from the source down to its partner.
        dx (int): Columns from the source to its partner.
        radius (int): Radius of the pairs in pixels of the map.

    Returns:
        Tensor: uint8 of shape ``(N, h', w')``: ``BACKGROUND``, ``FOREGROUND`` or ``DIFFERENT``, and ``IGNORED`` where
        one of the two labels is 255.
    """
    source, target = shift(segmap, 0, 0, radius), shift(segmap, dy, dx, radius)
    labels = torch.full(source.shape, FOREGROUND, dtype=torch.uint8, device=segmap.device)
    labels.masked_fill_(source == 0, BACKGROUND)
    labels.masked_fill_(source != target, DIFFERENT)
    return labels.masked_fill_((source == IGNORED_LABEL) | (target == IGNORED_LABEL), IGNORED)
