"""A CAM before and after a random walk, and the label that either makes."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mmamr.structures import CAM
from mmamr.utils import InputError

from .large_maps import bands
from .maps import mix, upsample


def walk_cam(
    cam: CAM,
    walk: Callable[[Tensor], Tensor],
    xi: float = 0.5,
    cam_power: float = 1.0,
    powers: Sequence[float] | None = None,
    device: torch.device | None = None,
) -> CAM:
    """Mix the branches of a CAM and let the scores walk.

    Args:
        cam (CAM): CAMs of one image.
        walk (Callable): Spreads scores ``(C, h, w)``, e.g. ``lambda scores: model.walk(scores, affinity)``.
        xi (float): Recalibration coefficient ξ (eq. 2). Defaults to 0.5.
        cam_power (float): Power of the CAM before the walk. Defaults to 1.
        powers (Sequence[float], optional): Powers of the background 1 - max CAM, descending, that walks along. Defaults
            to None: none does.
        device (torch.device, optional): Where to walk. Defaults to None: the CPU.

    Returns:
        CAM: The scores after the walk, one branch ``walk``; the largest score of the foreground is 1.
    """
    start = torch.from_numpy(mix(cam, xi)).to(device)
    strongest = start.amax(0) if len(start) else start.new_zeros(start.shape[1:])
    backgrounds = [(1 - strongest.clamp(0, 1)) ** power for power in powers or ()]
    start = torch.cat([start**cam_power, *(background[None] for background in backgrounds)])
    if len(start):
        scores = walk(start).clamp(min=0)
        foreground = scores[: len(cam.classes)]
        peak = foreground.amax() if len(foreground) else scores.amax()
        # float16 of the CAM file ends at 65504
        scores = (scores / peak.clamp(min=torch.finfo(scores.dtype).tiny)).clamp(max=60000)
    else:
        scores = start
    end, count = scores.cpu().numpy(), len(cam.classes)
    walked = CAM({'walk': end[:count]}, cam.classes, cam.size)
    if powers is not None:
        walked.background, walked.powers = end[count:], np.asarray(powers, dtype=np.float64)
    return walked


def label_of_cam(
    cam: CAM,
    threshold: float = 0.2,
    xi: float = 0.5,
    power: float | None = None,
    unsure: tuple[float, float] | None = None,
) -> np.ndarray:
    """Pseudo label of one image from its CAM or its walk: the class of the largest score, or the background.

    Args:
        cam (CAM): CAMs, whose branches are mixed, or scores after a random walk.
        threshold (float): Background threshold, in [0, 1] of the largest score. Defaults to 0.2 (row C6).
        xi (float): Recalibration coefficient ξ (eq. 2) of CAMs with two branches. Defaults to 0.5.
        power (float, optional): Where a walk carried the background along, the background of the nearest of
            ``cam.powers`` takes the place of the threshold. Defaults to None.
        unsure (tuple[float, float], optional): Pixels whose score lies between these two thresholds become 255; takes
            the place of the threshold. Defaults to None.

    Returns:
        np.ndarray: uint8 ``(H, W)``: 0 background, c + 1 foreground, 255 unsure.

    Raises:
        ValueError: If ``power`` is given, but the scores carry no background.
    """
    maps = mix(cam, xi)
    label = np.zeros(cam.size, dtype=np.uint8)
    if len(maps) == 0:
        return label
    background = None
    if power is not None:
        if cam.background is None or cam.powers is None:
            raise InputError('power is for walks that carry the background along (powers of WalkLoop)')
        nearest = np.abs(np.asarray(cam.powers, dtype=np.float64) - power).argmin()
        background = upsample(cam.background[nearest][None], cam.size)[0]
    for rows, large in bands(maps, cam.size):
        score = large.max(0)
        best = (cam.classes[large.argmax(0)] + 1).astype(np.uint8)
        if background is not None:
            label[rows] = np.where(score >= background[rows], best, np.uint8(0))
        elif unsure is not None:
            low, high = unsure
            label[rows] = np.where(score >= high, best, np.where(score >= low, np.uint8(255), np.uint8(0)))
        else:
            label[rows] = np.where(score >= threshold, best, np.uint8(0))
    return label
