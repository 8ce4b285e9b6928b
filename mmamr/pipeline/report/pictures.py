"""The pictures of a report: a photo once, and what was made of it as layers to be laid over it."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from mmamr.structures.class_index import Palette
from mmamr.visualization import draw_scores, label_layer

PHOTO_SIDE = 512
"""The longer side of a photo in pixels, at most."""
HEAT_SIDE = 160
"""That of a heat map, which is smooth."""


@dataclass
class Layer:
    """A picture that lies over a photo.

    Args:
        caption (str): Stands below it.
        alt (str): For those who cannot see it.
        uri (str): ``data:image/…;base64,…``.
        minor (bool): Whether it is shown smaller, after the others. Defaults to False.
    """

    caption: str
    alt: str
    uri: str
    minor: bool = False

    @classmethod
    def from_scores(cls, scores: np.ndarray, caption: str, alt: str, minor: bool = False) -> 'Layer':
        """A heat map of ``(h, w)`` in [0, 1]."""
        return cls(caption, alt, jpeg_uri(shrink(draw_scores(scores, 'jet'), HEAT_SIDE), 85), minor)

    @classmethod
    def from_labels(cls, labels: np.ndarray, palette: Palette, caption: str, alt: str, minor: bool = False) -> 'Layer':
        """The colours of a label map ``(H, W)``: 0 background, c + 1 foreground, 255 unsure."""
        # before the colours, so that borders stay a pixel wide
        small = Image.fromarray(labels.astype(np.uint8))
        small.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.NEAREST)
        layer = Image.fromarray(label_layer(np.asarray(small), palette))
        buffer = io.BytesIO()
        layer.save(buffer, format='PNG', optimize=True)
        return cls(caption, alt, _uri('png', buffer), minor)


@dataclass
class PictureRow:
    """The pictures of one photo.

    Args:
        title (str): Its id.
        photo (str): ``data:image/jpeg;base64,…``.
        size (tuple[int, int]): Height and width of the photo in pixels, from which the shape of all pictures follows.
        layers (list[Layer]): What lies over it, from left to right. Defaults to none.
        legend (Mapping[str, Sequence[int]]): RGB colour of each class that it shows or is said to show. Defaults to
            none.
        facts (list[str]): What is measured of it. Defaults to none.
    """

    title: str
    photo: str
    size: tuple[int, int]
    layers: list[Layer] = field(default_factory=list)
    legend: Mapping[str, Sequence[int]] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)

    @classmethod
    def from_photo(cls, title: str, image: np.ndarray) -> 'PictureRow':
        """A row of RGB uint8 ``(H, W, 3)``, without layers."""
        height, width = image.shape[:2]
        return cls(title, jpeg_uri(shrink(image, PHOTO_SIDE), 80), (height, width))


@dataclass
class Gallery:
    """Pictures of some photos.

    Args:
        title (str): Of which photos.
        text (str): How they were chosen. Defaults to ''.
        rows (list[PictureRow]): One a photo.
        note (str): Why some or all are missing. Defaults to ''.
    """

    title: str
    text: str = ''
    rows: list[PictureRow] = field(default_factory=list)
    note: str = ''


def shrink(picture: np.ndarray, side: int) -> Image.Image:
    """An RGB picture whose longer side is ``side`` pixels at most."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def jpeg_uri(image: Image.Image, quality: int) -> str:
    """``data:image/jpeg;base64,…``."""
    buffer = io.BytesIO()
    image.save(buffer, format='JPEG', quality=quality, optimize=True)
    return _uri('jpeg', buffer)


def _uri(kind: str, buffer: io.BytesIO) -> str:
    return f'data:image/{kind};base64,' + base64.b64encode(buffer.getvalue()).decode('ascii')
