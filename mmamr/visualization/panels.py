"""Single pictures of what the stages make: plain functions of arrays, RGB throughout."""

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import hsv_to_rgb

from mmamr.cams import upsample
from mmamr.structures.class_index import Palette
from mmamr.utils import InputError

IGNORE = 255
IGNORE_COLOUR = (224, 224, 192)


def grey(image: np.ndarray) -> np.ndarray:
    """The luminance (BT.601) of an RGB image in all three channels, float32 ``(H, W, 3)``."""
    luminance = image[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.repeat(luminance[..., None], 3, axis=2)


def draw_heat_map(image: np.ndarray, scores: np.ndarray, alpha: float = 0.6, colormap: str = 'jet') -> np.ndarray:
    """Lay a heat map over an image without its colours, which would mix with those of the map.

    Args:
        image (np.ndarray): RGB uint8 ``(H, W, 3)``.
        scores (np.ndarray): ``(h, w)`` in [0, 1], resized to the image; what lies outside is clipped.
        alpha (float): Opacity of the map in [0, 1]. Defaults to 0.6.
        colormap (str): Any colormap of matplotlib. Defaults to 'jet', as in most papers of the field.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.
    """
    scores = upsample(np.nan_to_num(scores, nan=0.0)[None], image.shape[:2])[0].clip(0, 1)
    return _blend(grey(image), 255 * colormaps[colormap](scores)[..., :3], alpha)


def draw_scores(scores: np.ndarray, colormap: str = 'magma') -> np.ndarray:
    """A map in [0, 1] as colours alone, such as the class boundaries of IRNet.

    Args:
        scores (np.ndarray): ``(h, w)``; what lies outside [0, 1] is clipped.
        colormap (str): Any colormap of matplotlib. Defaults to 'magma'.

    Returns:
        np.ndarray: RGB uint8 ``(h, w, 3)``.
    """
    return _bytes(255 * colormaps[colormap](np.nan_to_num(scores, nan=0.0).astype(np.float32).clip(0, 1))[..., :3])


def draw_labels(
    image: np.ndarray, labels: np.ndarray, palette: Palette, alpha: float = 0.65, outline: bool = True
) -> np.ndarray:
    """Lay a label map over an image without its colours; the background stays clear.

    Colours are those of :func:`visible_colours`: a grey class could not be told from the photo.

    Args:
        image (np.ndarray): RGB uint8 ``(H, W, 3)``.
        labels (np.ndarray): ``(H, W)``: 0 background, c + 1 foreground, 255 ignored or unsure (drawn in cream).
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours, background first.
        alpha (float): Opacity of the labels in [0, 1]. Defaults to 0.65.
        outline (bool): Whether the border inside each region is white. Defaults to True.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.

    Raises:
        ValueError: If the sizes differ or a label has no colour.
    """
    if labels.shape != image.shape[:2]:
        raise InputError(f'labels have size {labels.shape}, the image {image.shape[:2]}')
    colours = _label_colours(labels, palette)
    opacity = alpha * (labels > 0).astype(np.float32)
    # a brighter photo keeps dark colours of labels apart from the shadows in it
    picture = _blend(0.7 * grey(image) + 76, colours.astype(np.float32), opacity[..., None])
    if outline:
        picture[inner_border(labels)] = 255
    return picture


def label_layer(labels: np.ndarray, palette: Palette, outline: bool = True) -> np.ndarray:
    """The colours of a label map to be laid over a photo, where who looks at it chooses the opacity.

    Args:
        labels (np.ndarray): ``(H, W)``: 0 background, c + 1 foreground, 255 ignored or unsure (drawn in cream).
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours, background first; see :func:`visible_colours`.
        outline (bool): Whether the border inside each region is white. Defaults to True.

    Returns:
        np.ndarray: RGBA uint8 ``(H, W, 4)``: the background is transparent, all else opaque.

    Raises:
        ValueError: If a label has no colour.
    """
    colours = _label_colours(labels, palette)
    if outline:
        colours[inner_border(labels)] = 255
    foreground = (labels > 0)[..., None]
    return np.concatenate([colours * foreground, np.uint8(255) * foreground], axis=2, dtype=np.uint8)


def _label_colours(labels: np.ndarray, palette: Palette) -> np.ndarray:
    """The colour of each pixel of a label map, uint8 ``(H, W, 3)``."""
    colours = np.zeros((IGNORE + 1, 3), dtype=np.uint8)
    colours[IGNORE] = IGNORE_COLOUR
    visible = visible_colours(palette)[:IGNORE]
    colours[: len(visible)] = visible
    known = labels[labels != IGNORE]
    if known.size and known.max() >= len(visible):
        raise InputError(f'label {known.max()} has no colour in a palette of {len(visible)}')
    return colours[labels]


def shrink_label(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A label map of a photo that is shown smaller, by the nearest pixel.

    Args:
        labels (np.ndarray): ``(H, W)``.
        size (tuple[int, int]): Height and width of the picture.

    Returns:
        np.ndarray: uint8 of this size; the same array where it has it.
    """
    if labels.shape == tuple(size):
        return labels
    return cv2.resize(labels.astype(np.uint8), (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)


def visible_colours(palette: Palette) -> np.ndarray:
    """The colours of classes in pictures: greys, which vanish on a photo without colours, become bright.

    The first grey is cyan. VOC's palette has one among its 20 classes, the car of (128, 128, 128), and none of its
    colours is as bright. Files keep the colours of the palette.

    Args:
        palette (Sequence[Sequence[int]] | np.ndarray): RGB colours, background first; the background stays as it is.

    Returns:
        np.ndarray: uint8 RGB ``(K + 1, 3)``.
    """
    colours = np.array(palette, dtype=np.uint8)
    greys = np.flatnonzero(np.ptp(colours, axis=1) == 0)
    greys = greys[greys > 0]
    # the golden ratio keeps the hues of several apart
    hues = (0.52 + 0.618 * np.arange(len(greys))) % 1
    colours[greys] = _bytes(255 * hsv_to_rgb(np.stack([hues, np.ones_like(hues), np.ones_like(hues)], axis=-1)))
    return colours


def inner_border(labels: np.ndarray) -> np.ndarray:
    """Where a pixel of a foreground label has a neighbour (of four) of another label: bool ``(H, W)``.

    The border of the image is none, and the ignored pixels 255 have none of their own.
    """
    padded = np.pad(labels, 1, mode='edge')
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    differs = np.logical_or.reduce([labels != neighbour for neighbour in neighbours])
    return differs & (labels > 0) & (labels != IGNORE)


def draw_displacement(displacement: np.ndarray, longest: float | None = None, wheel: bool = True) -> np.ndarray:
    """A field of displacements: the direction is the hue, the length the saturation, and none at all is white.

    Args:
        displacement (np.ndarray): Rows (downwards) and columns (to the right), ``(2, h, w)``.
        longest (float, optional): Length of full saturation in the unit of the field. Defaults to None: its 99th
            percentile.
        wheel (bool): Whether the colours of all directions are shown in the bottom right corner. Defaults to True.

    Returns:
        np.ndarray: RGB uint8 ``(h, w, 3)``.
    """
    field = np.nan_to_num(np.asarray(displacement, dtype=np.float32))
    if longest is None:
        longest = float(np.percentile(np.hypot(*field), 99)) if field[0].size else 0.0
    picture = _directions(field / max(longest, 1e-6))
    side = min(picture.shape[:2]) // 4
    if wheel and side >= 8:
        rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        inside = np.hypot(rows, columns) <= 1
        corner = picture[-side - 1 : -1, -side - 1 : -1]
        corner[inside] = _directions(np.stack([rows, columns]))[inside]
        corner[inside & (np.hypot(rows, columns) > 1 - 3 / side)] = 64
    return picture


def _directions(field: np.ndarray) -> np.ndarray:
    """HSV colours of ``(2, h, w)``; length 1 is full saturation."""
    hue = np.arctan2(field[0], field[1]) / (2 * np.pi) % 1
    saturation = np.hypot(*field).clip(0, 1)
    return _bytes(255 * hsv_to_rgb(np.stack([hue, saturation, np.ones_like(hue)], axis=-1)))


def _blend(below: np.ndarray, above: np.ndarray, alpha: float | np.ndarray) -> np.ndarray:
    return _bytes((1 - alpha) * below + alpha * above)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)
