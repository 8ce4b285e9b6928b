"""From CAMs to maps and seeds at the size of the image: plain functions of arrays."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmamr.structures import CAM, strided_size
from mmamr.utils import InputError, check_number

EPS = 1e-5


def normalize_maps(maps: Tensor) -> Tensor:
    """ReLU, then divide each map by its maximum; a map without positive response stays zero.

    Args:
        maps (Tensor): Class maps ``(..., h, w)``.

    Returns:
        Tensor: In [0, 1], same shape.
    """
    maps = maps.relu()
    peak = maps.amax((-2, -1), keepdim=True)
    return torch.where(peak > EPS, maps / peak.clamp(min=EPS), torch.zeros_like(maps))


def mix(cam: CAM, xi: float = 0.5) -> np.ndarray:
    """Weighted CAMs M_W = ξ M_S + (1 - ξ) M_C (eq. 2), not normalised again.

    Args:
        cam (CAM): CAMs of one image. Where there is one branch only, its maps are returned whatever ξ is.
        xi (float): Recalibration coefficient ξ in [0, 1]; 1 gives the spotlight, 0 the compensation CAMs.
            Defaults to 0.5.

    Returns:
        np.ndarray: ``(K, h, w)`` in float32.

    Raises:
        ValueError: If ξ is outside [0, 1] or the branches are not known.
    """
    if len(cam.maps) == 1:
        check_number('ξ', xi, 0, 1)
        return next(iter(cam.maps.values())).astype(np.float32)
    return mixtures(cam, [xi])[0]


def mixtures(cam: CAM, xis: Sequence[float]) -> np.ndarray:
    """The weighted CAMs of :func:`mix` for several ξ at once.

    Args:
        cam (CAM): CAMs of one image, of both branches.
        xis (Sequence[float]): Recalibration coefficients ξ in [0, 1].

    Returns:
        np.ndarray: ``(len(xis), K, h, w)`` in float32.

    Raises:
        ValueError: If a ξ is outside [0, 1] or the branches are not known.
    """
    for xi in xis:
        check_number('ξ', xi, 0, 1)
    if set(cam.maps) != {'spotlight', 'compensation'}:
        raise InputError(f'only spotlight and compensation can be mixed, but the CAM holds {sorted(cam.maps)}')
    spotlight, compensation = (cam.maps[name].astype(np.float32) for name in ('spotlight', 'compensation'))
    share, rest = (np.array(part, dtype=np.float32)[:, None, None, None] for part in (xis, [1 - xi for xi in xis]))
    return share * spotlight + rest * compensation


def average(cams: Sequence[CAM]) -> CAM:
    """CAMs of several models for one image, averaged: an ensemble. Each branch for itself, not normalised again.

    Args:
        cams (Sequence[CAM]): One of each model, of the same image, classes and branches.

    Returns:
        CAM: Their mean.

    Raises:
        ValueError: If they are of different images, classes or branches.
    """
    first = cams[0]
    for cam in cams:
        if (cam.size, list(cam.classes), set(cam.maps)) != (first.size, list(first.classes), set(first.maps)):
            raise InputError('CAMs can be averaged only where image, classes and branches are the same')
    mean = {name: np.mean([cam.maps[name].astype(np.float32) for cam in cams], axis=0) for name in first.maps}
    return CAM(mean, first.classes, first.size)


def upsample(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize maps bilinearly (pixel centres aligned as in ``align_corners=False``).

    Args:
        maps (np.ndarray): ``(K, h, w)``, or ``(N, K, h, w)`` of N images of one size; K may be 0.
        size (tuple[int, int]): Height and width to reach.

    Returns:
        np.ndarray: ``(K, H, W)`` or ``(N, K, H, W)`` in float32.
    """
    maps = np.ascontiguousarray(maps, dtype=np.float32)
    if maps.size == 0:
        return np.zeros((*maps.shape[:-2], *size), dtype=np.float32)
    batch = torch.from_numpy(maps if maps.ndim == 4 else maps[None])
    larger = F.interpolate(batch, size, mode='bilinear', align_corners=False).numpy()
    return larger if maps.ndim == 4 else larger[0]


def resize_cam(cam: CAM, size: tuple[int, int], peak: str | None = None) -> CAM:
    """The CAM of an image for the same image at another size.

    Args:
        cam (CAM): CAMs or scores of one image.
        size (tuple[int, int]): Height and width of the other.
        peak (str, optional): ``'class'``: the largest value of each map becomes 1 again, as a CAM has it; ``'image'``:
            the largest of each branch, as after a random walk. Defaults to None: values stay as they come.

    Returns:
        CAM: Maps ``(K, ceil(H / 4), ceil(W / 4))`` in float32; the same CAM where the size is the same.
    """
    if cam.size == tuple(size):
        return cam
    maps = {name: _resize_maps(value, strided_size(size)) for name, value in cam.maps.items()}
    background = None if cam.background is None else _resize_maps(cam.background, strided_size(size))
    if peak is not None:
        for name, value in maps.items():
            top = value.max((1, 2), keepdims=True, initial=0) if peak == 'class' else value.max(initial=0)
            factor = 1 / np.where(top > EPS, top, 1)
            maps[name] = value * factor
            if background is not None and peak == 'image':
                background = background * factor
    return CAM(maps, cam.classes, (int(size[0]), int(size[1])), background, cam.powers)


def _resize_maps(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize maps ``(K, h, w)`` bilinearly, with antialiasing where they become smaller."""
    maps = np.ascontiguousarray(maps, dtype=np.float32)
    if len(maps) == 0:
        return np.zeros((0, *size), dtype=np.float32)
    smaller = size[0] < maps.shape[1] or size[1] < maps.shape[2]
    resized = F.interpolate(torch.from_numpy(maps)[None], size, mode='bilinear', align_corners=False, antialias=smaller)
    return resized[0].numpy()


def seed(maps: np.ndarray, classes: Sequence[int], threshold: float) -> np.ndarray:
    """Label of each pixel: the class of the largest map where that reaches the threshold, background elsewhere.

    Args:
        maps (np.ndarray): ``(K, H, W)``.
        classes (Sequence[int]): Foreground classes of the maps, counted from 0.
        threshold (float): Background threshold.

    Returns:
        np.ndarray: uint8 ``(H, W)``: 0 is background, class c is c + 1.
    """
    if len(maps) == 0:
        return np.zeros(maps.shape[1:], dtype=np.uint8)
    labels = np.asarray(classes, dtype=np.uint8)[maps.argmax(0)] + np.uint8(1)
    return np.where(maps.max(0) >= threshold, labels, np.uint8(0))
