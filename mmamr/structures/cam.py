"""The class activation maps of one image, and their size."""

from dataclasses import dataclass

import numpy as np

STRIDE = 4


@dataclass
class CAM:
    """The class activation maps of one image.

    Args:
        maps (dict[str, np.ndarray]): Branch name to maps ``(K, h, w)`` in [0, 1].
        classes (np.ndarray): Foreground classes of the K maps, counted from 0.
        size (tuple[int, int]): Height and width of the image in pixels.
        background (np.ndarray, optional): Scores of the background ``(P, h, w)`` for each of P powers. Defaults to
            None: the background is what no map reaches a threshold in.
        powers (np.ndarray, optional): These powers, descending, ``(P, )``. Defaults to None.
    """

    maps: dict[str, np.ndarray]
    classes: np.ndarray
    size: tuple[int, int]
    background: np.ndarray | None = None
    powers: np.ndarray | None = None


def strided_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size of a CAM for an image of ``size`` (H, W): each side divided by 4, rounded up."""
    return -(-size[0] // STRIDE), -(-size[1] // STRIDE)
