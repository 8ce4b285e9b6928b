"""Lists of image ids, and how an id becomes the name of a file."""

import os
import os.path as osp
import re
from collections.abc import Container, Iterable, Iterator

from mmamr.utils import DatasetError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')
# '/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png', as many lists of VOC 2012 have it.
VOC_LIST_PATH = re.compile(r'/?JPEGImages/(?P<name>[^/\\]+)')


def check_id(img_id: str, where: str) -> str:
    """Refuse an image id that could become a path outside its folder.

    Args:
        img_id (str): The id.
        where (str): File and line it was read from, for the message.

    Returns:
        str: ``img_id``.

    Raises:
        DatasetError: If the id holds a separator or is ``.`` or ``..``.
    """
    if not img_id or img_id in ('.', '..') or re.search(r'[/\\\0]|^[A-Za-z]:', img_id):
        raise DatasetError(
            f'{where}: the id {img_id!r} is a path; write the name of the image without folder or suffix',
            kind='id is a path',
        )
    return img_id


def strip_image_suffix(name: str) -> str:
    """``'2007_000032.jpg'`` to ``'2007_000032'``; a name without the suffix of an image stays as it is."""
    stem, suffix = osp.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name


def image_suffixes(img_suffix: str) -> list[str]:
    """The suffixes that an image may have: for 'auto' .jpg, .jpeg and .png in any case, else the one named."""
    return [*IMAGE_SUFFIXES, *(suffix.upper() for suffix in IMAGE_SUFFIXES)] if img_suffix == 'auto' else [img_suffix]


def find_name(img_id: str, suffixes: Iterable[str], names: Container[str]) -> str | None:
    """The first of the file names ``<img_id><suffix>`` that is among ``names``; None if none is."""
    return next((img_id + suffix for suffix in suffixes if img_id + suffix in names), None)


def parse_line(line: str, where: str) -> str:
    """The image id in one line of a list.

    The id is the first column, with or without the suffix of an image; labels or paths behind it are not read.
    ``/JPEGImages/<id>.jpg`` is an id too.

    Raises:
        DatasetError: If the id is a path of any other form.
    """
    name = line.split()[0]
    match = VOC_LIST_PATH.fullmatch(name)
    return check_id(strip_image_suffix(match['name'] if match else name), where)


def iter_lines(path: str) -> Iterator[tuple[str, str]]:
    """Lines of a list that are not blank, each behind ``<file>, line <n>``.

    Raises:
        DatasetError: If the file is missing, no text or has no such line.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = file.read().splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise DatasetError(f'{path}: no such list of images; {list_cure(path)}', kind='missing list') from None
    except UnicodeDecodeError:
        raise DatasetError(f'{path}: no text file; a list has one image id a line', kind='missing list') from None
    if not any(line.strip() for line in lines):
        raise DatasetError(f'{path}: empty list; write one image id a line', kind='empty list')
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f'{path}, line {number}', line


def list_cure(path: str) -> str:
    """What to do about a list that is missing."""
    folder = osp.dirname(path) or '.'
    if not osp.isdir(folder):
        return f'there is no folder {folder}, set data_root'
    if osp.basename(path) == 'train_aug.txt':
        return 'make it with tools/dataset_converters/sbd.py'
    others = sorted(name for name in os.listdir(folder) if name.endswith('.txt'))[:10]
    return 'set split to one of ' + ', '.join(others) if others else 'put one there or set split'


def check_duplicate(img_id: str, where: str, seen: dict[str, str]) -> None:
    """Refuse an id that ``seen``, ids and where they were read, already has; else add it.

    Raises:
        DatasetError: If the id was seen.
    """
    if img_id in seen:
        raise DatasetError(
            f'{where}: the id {img_id} is already in line {seen[img_id].rpartition(" ")[2]}; keep one of the two',
            kind='duplicate id',
        )
    seen[img_id] = where


def read_ids(path: str) -> list[str]:
    """Image ids of a list, in its order.

    Args:
        path (str): Text file with one image a line, see :func:`parse_line`.

    Raises:
        DatasetError: If the list is missing or empty, or an id is a path or there twice.
    """
    seen: dict[str, str] = {}
    for where, line in iter_lines(path):
        check_duplicate(parse_line(line, where), where, seen)
    return list(seen)
