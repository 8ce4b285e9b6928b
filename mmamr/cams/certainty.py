"""How certain the scores of an image are of its label: a measure that needs no masks."""

import numpy as np

from mmamr.structures import CAM

from .maps import mix


def certainty(
    cam: CAM,
    threshold: float = 0.2,
    xi: float = 0.5,
    power: float | None = None,
    unsure: tuple[float, float] | None = None,
) -> float:
    """How far the best score of a pixel is ahead of the second, as a share of the best, on average over all pixels.

    The scores are those of the classes and that of the background: what :func:`label_of_cam` chooses among. Where the
    label would change if the threshold or a score moved a little, the share is near 0.

    Args:
        cam (CAM): CAMs, whose branches are mixed, or scores after a random walk.
        threshold (float): Score of the background. Defaults to 0.2.
        xi (float): Recalibration coefficient ξ (eq. 2) of CAMs with two branches. Defaults to 0.5.
        power (float, optional): Of the background that walked along, in the place of the threshold. Defaults to None.
        unsure (tuple[float, float], optional): Two thresholds; the score of the background is their mean. Defaults to
            None.

    Returns:
        float: From 0, every pixel is a tie, to 1, nothing competes, as for an image without classes.
    """
    maps = mix(cam, xi).clip(min=0)
    if len(maps) == 0:
        return 1.0
    if power is not None and cam.background is not None and cam.powers is not None:
        background = cam.background[np.abs(np.asarray(cam.powers, dtype=np.float64) - power).argmin()]
    else:
        background = np.full(maps.shape[1:], threshold if unsure is None else np.mean(unsure))
    second, best = np.sort(np.concatenate([maps, background[None].astype(np.float32)]), axis=0)[-2:]
    return float(((best - second) / best.clip(min=np.finfo(np.float32).tiny)).mean())
