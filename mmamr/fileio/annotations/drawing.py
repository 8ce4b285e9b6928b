"""Outlines of annotation tools as label maps: the way back from :mod:`~.formats`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .outlines import signed_area

Point = Sequence[float]


@dataclass
class Shape:
    """An area of one class in a photo: polygons, run lengths or pixels.

    Args:
        label (str): Name of the class.
        rings (Sequence): Polygons as x and y of their corners, which may be flat; each is filled by the even-odd rule.
            Defaults to none.
        relative (bool): Whether x and y are shares of width and height. Defaults to False: they are pixels, and pixel
            ``(x, y)`` covers ``[x, x + 1] × [y, y + 1]``.
        runs (Sequence[int] | str): Run lengths, zeros first, in COCO's compressed text or as numbers. Defaults to none.
        by_columns (bool): Whether the runs go down columns, as COCO's, or along rows. Defaults to True.
        box (tuple[int, int, int, int], optional): Left, top, width and height of what the runs or pixels cover.
            Defaults to None: the photo.
        pixels (np.ndarray, optional): bool ``(height, width)`` of the box. Defaults to None.
    """

    label: str
    rings: Sequence = ()
    relative: bool = False
    runs: Sequence[int] | str = ()
    by_columns: bool = True
    box: tuple[int, int, int, int] | None = None
    pixels: np.ndarray | None = field(default=None, repr=False)

    def region(self, size: tuple[int, int]) -> np.ndarray:
        """The pixels of the shape in a photo of ``size``, bool ``(H, W)``; what lies outside of it is cut off.

        Raises:
            ValueError: If it does not fit together, such as runs of another size.
        """
        region = np.zeros(size, dtype=bool)
        for ring in self.rings:
            corners = np.asarray(ring, dtype=np.float64).reshape(-1, 2)
            region |= fill(corners * size[::-1] if self.relative else corners, size)
        pixels = self.pixels
        left, top, width, height = self.box or (0, 0, size[1], size[0])
        if len(self.runs):
            pixels = from_runs(self.runs, (height, width), self.by_columns)
        if pixels is not None:
            inside = region[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
            up, aside = max(-top, 0), max(-left, 0)
            inside |= pixels[up : up + inside.shape[0], aside : aside + inside.shape[1]]
        return region

    def area(self) -> float:
        """About how large it is, to draw small shapes over large ones."""
        if len(self.runs):
            numbers = _numbers(self.runs) if isinstance(self.runs, str) else self.runs
            return float(sum(numbers[1::2]))
        rings = [np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in self.rings]
        return sum((abs(signed_area(ring)) for ring in rings), 0.0 if self.pixels is None else float(self.pixels.sum()))


def draw_shapes(shapes: Iterable[Shape], size: tuple[int, int], values: Mapping[str, int]) -> np.ndarray:
    """Draw shapes, one over the other.

    Args:
        shapes (Iterable[Shape]): From the lowest to the topmost.
        size (tuple[int, int]): Height and width of the photo.
        values (Mapping[str, int]): Value of each class; others become 0.

    Returns:
        np.ndarray: uint8 ``(H, W)``.

    Raises:
        ValueError: If a shape does not fit.
    """
    mask = np.zeros(size, dtype=np.uint8)
    for shape in shapes:
        mask[shape.region(size)] = values.get(shape.label, 0)
    return mask


def fill(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels whose middle lies in a polygon, by the even-odd rule.

    Args:
        corners (np.ndarray): x and y ``(N, 2)``.
        size (tuple[int, int]): Height and width.

    Returns:
        np.ndarray: bool ``(H, W)``.

    Raises:
        ValueError: If a corner is no finite number.
    """
    if not np.isfinite(corners).all():
        raise ValueError('a corner that is no number')
    flips = np.zeros((size[0], size[1] + 1), dtype=np.int32)
    if len(corners) < 3:
        return np.zeros(size, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0)):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, last = (int(np.clip(np.ceil(y - 0.5), 0, size[0])) for y in (y0, y1))
        rows = np.arange(first, last)
        if len(rows):
            crossings = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            flips[rows, np.clip(np.ceil(crossings - 0.5), 0, size[1]).astype(int)] += 1
    return np.cumsum(flips, axis=1)[:, :-1] % 2 == 1


def from_runs(runs: Sequence[int] | str, size: tuple[int, int], by_columns: bool = True) -> np.ndarray:
    """Pixels of run lengths, bool ``(H, W)``.

    Raises:
        ValueError: If they are not those of ``size``.
    """
    lengths = np.asarray(_numbers(runs) if isinstance(runs, str) else list(runs), dtype=np.int64)
    if (lengths < 0).any() or lengths.sum() != size[0] * size[1]:
        raise ValueError(f'run lengths of {int(lengths.sum())} pixels, but there are {size[0] * size[1]}')
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(size[::-1]).T if by_columns else flat.reshape(size)


def _numbers(text: str) -> list[int]:
    """The run lengths in COCO's compressed text: six bits a letter, five of them of a number, and differences."""
    numbers: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise ValueError(f'run lengths with the letter {letter!r}')
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return numbers
