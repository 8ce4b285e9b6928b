"""Large maps a band of rows at a time, so that memory does not grow with the photo."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from .maps import upsample

MAX_VALUES = 1 << 26
"""Numbers that are held at once: 256 MB in float32."""


def bands(maps: np.ndarray, size: tuple[int, int], max_values: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """What :func:`upsample` gives, in one piece where it is small, else rows by rows.

    Args:
        maps (np.ndarray): ``(K, h, w)``, K at least 1.
        size (tuple[int, int]): Height and width to reach.
        max_values (int, optional): Numbers in a piece at most. Defaults to None: 2²⁶.

    Yields:
        tuple: The rows, and these rows of the maps ``(K, rows, W)`` in float32.
    """
    height, width = size
    max_values = max_values or MAX_VALUES
    if len(maps) * height * width <= max_values:
        yield slice(0, height), upsample(maps, size)
        return
    tensor = torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float32))
    for rows in row_slices(len(maps), size, max_values):
        yield rows, upsample_rows(tensor, size, rows).numpy()


def row_slices(count: int, size: tuple[int, int], max_values: int) -> Iterator[slice]:
    """Bands of rows of ``count`` maps of a size that hold so many numbers at most."""
    step = max(1, max_values // (count * size[1]))
    for first in range(0, size[0], step):
        yield slice(first, min(first + step, size[0]))


def upsample_rows(maps: Tensor, size: tuple[int, int], rows: slice, align_corners: bool = False) -> Tensor:
    """Some rows of maps that are resized bilinearly.

    Args:
        maps (Tensor): ``(K, h, w)``, of a floating point dtype.
        size (tuple[int, int]): Height and width of the whole result.
        rows (slice): Which rows of it.
        align_corners (bool): As in :func:`torch.nn.functional.interpolate`. Defaults to False.

    Returns:
        Tensor: ``(K, rows, W)``.
    """
    top, bottom, down = _neighbours(maps.shape[1], size[0], rows, align_corners, maps)
    left, right, along = _neighbours(maps.shape[2], size[1], slice(0, size[1]), align_corners, maps)
    lines = torch.lerp(maps[:, top], maps[:, bottom], down[:, None])
    return torch.lerp(lines[..., left], lines[..., right], along)


def _neighbours(
    length: int, target: int, wanted: slice, align_corners: bool, like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """For some places on an axis of ``target`` pixels the two of ``length`` that they lie between, and how far."""
    place = torch.arange(wanted.start, wanted.stop, dtype=torch.float64)
    if align_corners:
        place = place * ((length - 1) / max(target - 1, 1))
    else:
        place = ((place + 0.5) * (length / target) - 0.5).clamp(0, length - 1)
    before = place.floor().long().clamp(max=length - 1)
    after = (before + 1).clamp(max=length - 1)
    return before.to(like.device), after.to(like.device), (place - before).to(like)


def argmax_at(scores: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """The largest of some scores at each pixel of a larger image, within bounded memory.

    Args:
        scores (Tensor): ``(C, h, w)``.
        size (tuple[int, int]): Height and width of the image.
        align_corners (bool): As in :func:`torch.nn.functional.interpolate`. Defaults to False.

    Returns:
        Tensor: int64 ``(H, W)``.
    """
    scores = scores.float()
    parts = [
        upsample_rows(scores, size, rows, align_corners).argmax(0) for rows in row_slices(len(scores), size, MAX_VALUES)
    ]
    return torch.cat(parts)


def enlarge_label(label: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A label map at the size of a larger photo: at each pixel the value that most of its surroundings have.

    Args:
        label (np.ndarray): uint8 ``(h, w)`` of any values.
        size (tuple[int, int]): Height and width to reach.

    Returns:
        np.ndarray: uint8 ``(H, W)``; the same array where the size is the same.
    """
    if label.shape == tuple(size):
        return label
    values = np.unique(label)
    shares = torch.from_numpy((label[None] == values[:, None, None]).astype(np.float32))
    return values[argmax_at(shares, size).numpy()]
