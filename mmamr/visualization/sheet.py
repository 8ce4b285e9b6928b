"""Rows of pictures with captions, and sheets of such rows."""

import itertools
import os.path as osp
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmamr.utils import InputError, atomic_write

WHITE, INK, PALE, FRAME = (255, 255, 255), (32, 33, 36), (95, 99, 104), (218, 220, 224)


@dataclass
class Row:
    """Pictures of one image, side by side.

    Args:
        panels (dict[str, np.ndarray]): RGB uint8 ``(H, W, 3)`` by caption, from left to right.
        title (str): Stands above the row, e.g. the id of the image. Defaults to ''.
        legend (dict[str, Sequence[int]]): RGB colour of each class, behind the title. Defaults to an empty one.
    """

    panels: dict[str, np.ndarray]
    title: str = ''
    legend: dict[str, Sequence[int]] = field(default_factory=dict)


def draw_sheet(rows: Sequence[Row], width: int = 256) -> np.ndarray:
    """Stack rows into one picture.

    Each picture is fitted into a square cell of ``width`` pixels, its aspect kept, so that columns stay aligned;
    captions stand above the first row and wherever they change.

    Args:
        rows (Sequence[Row]): The rows; one at least.
        width (int): Of a column in pixels. Defaults to 256.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)`` on white.

    Raises:
        ValueError: If there is no row, or a row without a picture.
    """
    if not rows or not all(row.panels for row in rows):
        raise InputError('a sheet needs at least one row, and each row at least one picture')
    gap = max(width // 32, 2)
    total = max(len(row.panels) for row in rows) * (width + gap) + gap
    parts: list[Image.Image] = []
    captions: tuple[str, ...] = ()
    for row in rows:
        if tuple(row.panels) != captions:
            captions = tuple(row.panels)
            parts.append(_captions(captions, total, width, gap))
        if row.title or row.legend:
            parts.append(_title(row, total, width, gap))
        parts.append(_panels(row, total, width, gap))
    sheet = Image.new('RGB', (total, sum(part.height for part in parts) + gap), WHITE)
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return np.asarray(sheet)


def save_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture whole, in the format that the suffix names.

    Args:
        path (str): ``.png``, ``.jpg`` or ``.jpeg``; its folder is made.
        picture (np.ndarray): RGB uint8 ``(H, W, 3)``.

    Raises:
        InputError: If the suffix is another one.
    """
    formats = {'.png': 'PNG', '.jpg': 'JPEG', '.jpeg': 'JPEG'}
    suffix = osp.splitext(path)[1].lower()
    if suffix not in formats:
        raise InputError(f'{path}: pictures are written as {", ".join(formats)}; name one of these')
    with atomic_write(path) as file:
        Image.fromarray(picture).save(file, format=formats[suffix], **({} if suffix == '.png' else {'quality': 92}))


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    # matplotlib brings it along: the same letters, Greek ones too, on every machine
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(osp.join(matplotlib.get_data_path(), 'fonts', 'ttf', name), size)


def _text_size(width: int) -> int:
    return max(width // 14, 10)


def _captions(captions: Sequence[str], total: int, width: int, gap: int) -> Image.Image:
    """One centred caption a column; one that is too long for it is set smaller."""
    size = _text_size(width)
    part = Image.new('RGB', (total, round(1.7 * size) + gap), WHITE)
    draw = ImageDraw.Draw(part)
    for index, caption in enumerate(captions):
        fitting = size
        while fitting > 8 and _font(fitting, True).getlength(caption) > width:
            fitting -= 1
        middle = gap + index * (width + gap) + width / 2
        draw.text((middle, part.height - size / 3), caption, INK, _font(fitting, True), anchor='ms')
    return part


def _title(row: Row, total: int, width: int, gap: int) -> Image.Image:
    """The title and a chip and a name for each class, in as many lines as they take."""
    size = max(round(0.85 * _text_size(width)), 9)
    font, line, chip = _font(size), round(1.6 * size), round(0.9 * size)
    words: list[tuple[tuple[int, ...] | None, str]] = [(None, row.title)] if row.title else []
    words += [(tuple(int(value) for value in colour), name) for name, colour in row.legend.items()]
    places, left, top = [], gap, 0
    for colour, text in words:
        length = round(font.getlength(text)) + (0 if colour is None else round(1.4 * chip))
        if left > gap and left + length > total - gap:
            left, top = gap, top + line
        places.append((left, top))
        left += length + round(1.2 * size)
    part = Image.new('RGB', (total, top + line + gap), WHITE)
    draw = ImageDraw.Draw(part)
    for (colour, text), (left, top) in zip(words, places):
        base = top + gap + round(1.1 * size)
        if colour is not None:
            draw.rounded_rectangle((left, base - chip + 1, left + chip, base + 1), chip // 4, colour, PALE)
            left += round(1.4 * chip)
        draw.text((left, base), text, PALE if colour is None else INK, font, anchor='ls')
    return part


def _panels(row: Row, total: int, width: int, gap: int) -> Image.Image:
    """The pictures, each in the middle of its cell; the row is as high as the highest."""
    fitted = [_fit(panel, width) for panel in row.panels.values()]
    height = max(panel.height for panel in fitted)
    part = Image.new('RGB', (total, height + gap), WHITE)
    draw = ImageDraw.Draw(part)
    for index, panel in enumerate(fitted):
        left = gap + index * (width + gap) + (width - panel.width) // 2
        top = (height - panel.height) // 2
        part.paste(panel, (left, top))
        # pictures may be white up to their sides
        draw.rectangle((left - 1, top - 1, left + panel.width, top + panel.height), outline=FRAME)
    return part


def _fit(panel: np.ndarray, width: int) -> Image.Image:
    """Resize so that the longer side is ``width``."""
    height, length = panel.shape[:2]
    scale = width / max(height, length)
    image = Image.fromarray(np.ascontiguousarray(panel))
    size = (max(round(length * scale), 1), max(round(height * scale), 1))
    # enlarged pixels of small maps stay pixels
    return image.resize(size, Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS)


def safe_name(text: str) -> str:
    """A text as the name of a file: what would be a folder becomes ``_``."""
    return re.sub(r'[/\\\0]', '_', text).lstrip('.') or '_'


def save_rows(rows: Sequence[Row], out: str, width: int = 256) -> list[str]:
    """Write rows as one sheet, or each as a picture of its own.

    Args:
        rows (Sequence[Row]): The rows.
        out (str): A file ``.png`` or ``.jpg`` for the sheet; anything else is a folder, where pictures are named after
            the titles of their rows and, where a title repeats, their classes; then by numbers.
        width (int): Of a column in pixels. Defaults to 256.

    Returns:
        list[str]: The files.
    """
    if osp.splitext(out)[1].lower() in ('.png', '.jpg', '.jpeg'):
        save_picture(out, draw_sheet(rows, width))
        return [out]
    titles = [row.title for row in rows]
    names: list[str] = []
    for row in rows:
        name = safe_name(row.title if titles.count(row.title) == 1 else '_'.join([row.title, *row.legend]))
        taken = {other.casefold() for other in names}
        numbered = (name if number == 1 else f'{name}_{number}' for number in itertools.count(1))
        names.append(next(one for one in numbered if one.casefold() not in taken))
        save_picture(osp.join(out, f'{names[-1]}.png'), draw_sheet([row], width))
    return [osp.join(out, f'{name}.png') for name in names]
