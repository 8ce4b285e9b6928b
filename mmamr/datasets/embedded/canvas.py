"""Anti-aliased drawing in integers, so that the pixels are the same on every machine.

Floating point is avoided throughout: sines of different maths libraries may differ in the last bit, and one bit may
move a pixel. Angles use a rational sine, lights and blends are fixed point, and chance comes from the one stream of
numpy that is frozen for good.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

SUBPIXELS = 4
"""Samples a pixel along each axis."""

Colour = tuple[int, int, int]
Box = tuple[slice, slice]
Fill = Colour | Callable[[Box], np.ndarray]
Item = TypeVar('Item')


class Dice:
    """A seeded stream of whole numbers.

    ``np.random.RandomState`` is numpy's legacy generator, whose stream is frozen (NEP 19); the newer ``Generator`` does
    not promise that.

    Args:
        *seed (int): Any number of non-negative integers below 2**32.
    """

    def __init__(self, *seed: int) -> None:
        self._state = np.random.RandomState(list(seed))

    def integer(self, low: int, high: int) -> int:
        """A number in [low, high], both included."""
        return int(self._state.randint(low, high + 1, dtype=np.int64))

    def chance(self, percent: int) -> bool:
        """True in ``percent`` of 100 throws."""
        return self.integer(0, 99) < percent

    def choice(self, options: Sequence[Item]) -> Item:
        """One of the options, all being equally likely."""
        return options[self.integer(0, len(options) - 1)]

    def colour(self, base: Colour, spread: int = 14) -> Colour:
        """``base`` with each channel moved by at most ``spread``."""
        red, green, blue = (min(255, max(0, value + self.integer(-spread, spread))) for value in base)
        return red, green, blue

    def grid(self, height: int, width: int) -> np.ndarray:
        """An int32 array of shape ``(height, width)`` with values in [0, 255]."""
        return self._state.randint(0, 256, (height, width), dtype=np.int64).astype(np.int32)


def darker(colour: Colour, parts: int) -> Colour:
    """``parts`` of 16 of each channel."""
    red, green, blue = colour
    return red * parts // 16, green * parts // 16, blue * parts // 16


def sine(degrees: int) -> int:
    """1024 times the sine of a whole angle, by Bhaskara's rational formula (off by at most 0.2 %)."""
    degrees %= 360
    if degrees >= 180:
        return -sine(degrees - 180)
    bow = degrees * (180 - degrees)
    return 4096 * bow // (40500 - bow)


def cosine(degrees: int) -> int:
    """1024 times the cosine of a whole angle."""
    return sine(degrees + 90)


class Ellipse(NamedTuple):
    """An ellipse; all lengths are in subpixels, the angle in degrees, clockwise."""

    x: int
    y: int
    a: int
    b: int
    angle: int = 0

    def reach(self, grow: int) -> tuple[int, int, int, int]:
        """Bounding box left, top, right, bottom of the shape grown by ``grow``."""
        radius = max(self.a, self.b) + grow
        return self.x - radius, self.y - radius, self.x + radius, self.y + radius

    def relief(self, ys: np.ndarray, xs: np.ndarray, grow: int) -> np.ndarray:
        """Height over the plane as of a dome: 256 on top, 0 on the rim, negative outside.

        Args:
            ys (np.ndarray): Rows of shape ``(h, 1)``.
            xs (np.ndarray): Columns of shape ``(1, w)``.
            grow (int): Added to both radii.

        Returns:
            np.ndarray: int32 of shape ``(h, w)``.
        """
        a, b = max(1, self.a + grow), max(1, self.b + grow)
        sin, cos = sine(self.angle), cosine(self.angle)
        # The turned coordinates over their radii, 4096 on the rim; dividing the two vectors spares dividing the plane.
        dx, dy = 4 * (xs - self.x), 4 * (ys - self.y)
        u = dx * cos // a + dy * sin // a
        v = dy * cos // b - dx * sin // b
        return (4096 * 4096 - u * u - v * v) >> 16


class Limb(NamedTuple):
    """A straight limb with round ends, its radius going from ``r0`` at ``(x0, y0)`` to ``r1`` at ``(x1, y1)``."""

    x0: int
    y0: int
    r0: int
    x1: int
    y1: int
    r1: int

    def reach(self, grow: int) -> tuple[int, int, int, int]:
        """Bounding box left, top, right, bottom of the shape grown by ``grow``."""
        radius = max(self.r0, self.r1) + grow
        return (
            min(self.x0, self.x1) - radius,
            min(self.y0, self.y1) - radius,
            max(self.x0, self.x1) + radius,
            max(self.y0, self.y1) + radius,
        )

    def relief(self, ys: np.ndarray, xs: np.ndarray, grow: int) -> np.ndarray:
        """As :meth:`Ellipse.relief`: a dome over the limb's axis."""
        along_x, along_y = self.x1 - self.x0, self.y1 - self.y0
        square = max(1, along_x * along_x + along_y * along_y)
        dx, dy = xs - self.x0, ys - self.y0
        part = np.clip(256 * dx * along_x // square + 256 * dy * along_y // square, 0, 256)
        radius = np.maximum(1, self.r0 + grow + (part * (self.r1 - self.r0) >> 8))
        off_x, off_y = dx - (part * along_x >> 8), dy - (part * along_y >> 8)
        return 256 - 256 * (off_x * off_x + off_y * off_y) // (radius * radius)


Shape = Ellipse | Limb


def noise(dice: Dice, height: int, width: int, cell: int) -> np.ndarray:
    """Smooth value noise: random numbers on a grid, blended in between by 3t² - 2t³.

    Args:
        dice (Dice): The source of chance.
        height (int): Rows.
        width (int): Columns.
        cell (int): Distance of the grid's points, at least 2.

    Returns:
        np.ndarray: int32 of shape ``(height, width)`` with values in [0, 255].
    """
    grid = dice.grid(height // cell + 2, width // cell + 2)
    step = np.arange(cell, dtype=np.int64)
    ease = (256 * step * step * (3 * cell - 2 * step) // cell**3).astype(np.int32)
    (row, at_row), (column, at_column) = np.divmod(np.arange(height), cell), np.divmod(np.arange(width), cell)
    down, right = ease[at_row][:, None], ease[at_column][None]
    # Blend along the rows of the small grid first, then along the columns.
    lines = grid[:, column] * (256 - right) + grid[:, column + 1] * right
    return (lines[row] * (256 - down) + lines[row + 1] * down) >> 16


class Canvas:
    """A picture that remembers which thing each of its points belongs to.

    Args:
        height (int): Height in pixels.
        width (int): Width in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height * SUBPIXELS, width * SUBPIXELS
        self.rgb = np.zeros((self.height, self.width, 3), dtype=np.int32)
        self.owner = np.zeros((self.height, self.width), dtype=np.uint8)

    def box(self, shapes: Sequence[Shape], grow: int = 0) -> Box | None:
        """The part of the canvas that holds the shapes, or None where all of them lie outside."""
        reaches = [shape.reach(grow) for shape in shapes]
        left, top = (max(0, min(reach[i] for reach in reaches)) for i in (0, 1))
        right = min(self.width, max(reach[2] for reach in reaches) + 1)
        bottom = min(self.height, max(reach[3] for reach in reaches) + 1)
        return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None

    def relief(self, shapes: Sequence[Shape], box: Box, grow: int = 0) -> np.ndarray:
        """Height of the union of the shapes over ``box``, see :meth:`Ellipse.relief`."""
        height = np.full((box[0].stop - box[0].start, box[1].stop - box[1].start), -1, dtype=np.int32)
        for shape in shapes:
            own = self.box([shape], grow)
            if own is None:
                continue
            rows = np.arange(own[0].start, own[0].stop, dtype=np.int32)[:, None]
            columns = np.arange(own[1].start, own[1].stop, dtype=np.int32)[None]
            part = height[
                own[0].start - box[0].start : own[0].stop - box[0].start,
                own[1].start - box[1].start : own[1].stop - box[1].start,
            ]
            np.maximum(part, shape.relief(rows, columns, grow), out=part)
        return height

    def paint(
        self,
        shapes: Sequence[Shape],
        fill: Fill,
        owner: int = 0,
        line: Colour | None = None,
        line_width: int = 3,
        light: int = 78,
    ) -> None:
        """Paint the union of some shapes as one lit, rounded body.

        Args:
            shapes (Sequence[Shape]): The shapes.
            fill (Fill): A colour, or a function from a box of the canvas to colours of shape ``(h, w, 3)``.
            owner (int): What the painted points belong to; 0 is the background. Defaults to 0.
            line (Colour, optional): Colour of an outline around the union. Defaults to None, no outline.
            line_width (int): Width of the outline in subpixels. Defaults to 3.
            light (int): How much the middle is lighter than the rim, of 256. Defaults to 78.
        """
        box = self.box(shapes, line_width if line else 0)
        if box is None:
            return
        rgb, owners = self.rgb[box], self.owner[box]
        if line:
            inside = self.relief(shapes, box, line_width) > 0
            rgb[inside] = line
            owners[inside] = owner
        relief = self.relief(shapes, box)
        inside = relief > 0
        # Light falls from above: half of it by the dome, half by the height in the picture.
        top, bottom = min(shape.reach(0)[1] for shape in shapes), max(shape.reach(0)[3] for shape in shapes)
        rows = np.arange(box[0].start, box[0].stop, dtype=np.int32)[:, None]
        lightness = 262 - light + (light * relief >> 9) + light * (bottom - rows) // (2 * max(1, bottom - top))
        colours = np.asarray(fill, dtype=np.int32) if isinstance(fill, tuple) else fill(box)[inside]
        rgb[inside] = np.minimum(255, colours * lightness[inside][:, None] >> 8)
        owners[inside] = owner

    def shade(self, shape: Shape, strength: int) -> None:
        """Darken what is under a shape, most in its middle, as a soft shadow does; owners stay.

        Args:
            shape (Shape): The shadow's shape.
            strength (int): How dark its middle is, of 256.
        """
        box = self.box([shape])
        if box is None:
            return
        dark = strength * np.maximum(self.relief([shape], box), 0) >> 8
        self.rgb[box] = self.rgb[box] * (256 - dark[..., None]) >> 8

    def pixels(self) -> np.ndarray:
        """The picture, each pixel being the mean of its samples.

        Returns:
            np.ndarray: uint8 of shape ``(H, W, 3)``.
        """
        total = self._reduce(np.add, self.rgb)
        return ((total + SUBPIXELS**2 // 2) // SUBPIXELS**2).astype(np.uint8)

    def owners(self) -> tuple[np.ndarray, np.ndarray]:
        """Whom each pixel belongs to, and how surely.

        Returns:
            tuple[np.ndarray, np.ndarray]: The owner at the middle of the pixel, uint8 of shape ``(H, W)``, and whether
            the pixel lies between owners, bool of shape ``(H, W)``.
        """
        shared = self._reduce(np.minimum, self.owner) != self._reduce(np.maximum, self.owner)
        owner = self.owner[SUBPIXELS // 2 :: SUBPIXELS, SUBPIXELS // 2 :: SUBPIXELS]
        # Where two owners meet just between two pixels, the second pixel counts as shared.
        shared[1:] |= (owner[1:] != owner[:-1]) & ~shared[1:] & ~shared[:-1]
        shared[:, 1:] |= (owner[:, 1:] != owner[:, :-1]) & ~shared[:, 1:] & ~shared[:, :-1]
        return owner, shared

    @staticmethod
    def _reduce(operation: np.ufunc, plane: np.ndarray) -> np.ndarray:
        """Reduce the samples of each pixel; rows before columns, which is several times faster than both at once."""
        for axis in (0, 1):
            plane = plane.reshape(*plane.shape[:axis], -1, SUBPIXELS, *plane.shape[axis + 1 :])
            plane = operation.reduce(plane, axis=axis + 1)
        return plane


class Frame(NamedTuple):
    """A coordinate system on the canvas in which a thing is drawn: 100 units are ``scale`` subpixels.

    Args:
        x (int): Column of the origin, in subpixels.
        y (int): Row of the origin, in subpixels.
        scale (int): Subpixels of 100 units.
        facing (int): 1 or -1, the direction of the x axis. Defaults to 1.
        tilt (int): Degrees by which the frame is turned. Defaults to 0.
    """

    x: int
    y: int
    scale: int
    facing: int = 1
    tilt: int = 0

    def at(self, x: int, y: int) -> tuple[int, int]:
        """The point ``(x, y)`` of the frame on the canvas."""
        sin, cos = sine(self.tilt), cosine(self.tilt)
        turned_x, turned_y = x * cos - y * sin, x * sin + y * cos
        return self.x + self.facing * turned_x * self.scale // 102400, self.y + turned_y * self.scale // 102400

    def length(self, units: int) -> int:
        """A length in subpixels, at least 1."""
        return max(1, units * self.scale // 100)

    def ellipse(self, x: int, y: int, a: int, b: int, angle: int = 0) -> Ellipse:
        """An ellipse given in units of the frame."""
        return Ellipse(*self.at(x, y), self.length(a), self.length(b), self.facing * (angle + self.tilt))

    def limb(self, x0: int, y0: int, r0: int, x1: int, y1: int, r1: int) -> Limb:
        """A limb given in units of the frame."""
        return Limb(*self.at(x0, y0), self.length(r0), *self.at(x1, y1), self.length(r1))

    def chain(self, *points: tuple[int, int, int]) -> list[Limb]:
        """Limbs through points ``(x, y, radius)``, each beginning where the last ended."""
        return [self.limb(*start, *end) for start, end in pairwise(points)]

    def child(self, x: int, y: int, percent: int, tilt: int = 0) -> 'Frame':
        """A frame at a point of this one, ``percent`` as large and turned by ``tilt`` more degrees."""
        return Frame(*self.at(x, y), self.length(percent), self.facing, self.tilt + tilt)
