"""Lists of image ids, and how an id becomes the name of a file."""

import os
import os.path as osp
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property, lru_cache

from mmamr.utils import DatasetError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff')
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
    """The suffixes that an image may have: for 'auto' those of :data:`IMAGE_SUFFIXES`, else the one named."""
    return list(IMAGE_SUFFIXES) if img_suffix == 'auto' else [img_suffix]


def composed(text: str) -> str:
    """A text with composed letters: some disks keep ``ü`` as ``u`` and two dots."""
    return text if text.isascii() else unicodedata.normalize('NFC', text)


class FolderNames(frozenset):
    """The names in a folder, listed once: an ``os.stat`` for each of 10,582 images is slow on a network disk."""

    @classmethod
    def of(cls, folder: str) -> 'FolderNames':
        """The names in a folder; none where there is no such folder."""
        return cls(os.listdir(folder) if osp.isdir(folder) else ())

    @cached_property
    def by_folded(self) -> dict[str, str]:
        """Each name by itself in composed letters, its suffix in lower case."""
        return {_folded(*osp.splitext(name)): name for name in sorted(self, reverse=True)}

    @cached_property
    def stems(self) -> frozenset[str]:
        """The names without suffixes, in composed letters."""
        return frozenset(composed(osp.splitext(name)[0]) for name in self)


def _folded(stem: str, suffix: str) -> str:
    return composed(stem) + suffix.lower()


@lru_cache
def _are_suffixes(texts: tuple[str, ...]) -> bool:
    """Whether texts are nothing but suffixes of files."""
    return all(text.startswith('.') and '.' not in text[1:] for text in texts)


def find_name(img_id: str, suffixes: Sequence[str], names: Collection[str]) -> str | None:
    """The first of the file names ``<img_id><suffix>`` that is among ``names``; None if none is.

    Of :class:`FolderNames` letters fit whether they are composed or not, and those of 'auto' in any case.
    """
    if isinstance(names, FolderNames) and composed(img_id) not in names.stems and _are_suffixes(tuple(suffixes)):
        return None  # of a million ids without a photo, quickly
    exact = next((img_id + suffix for suffix in suffixes if img_id + suffix in names), None)
    if exact is not None or not isinstance(names, FolderNames):
        return exact
    ends = '' if tuple(suffixes) == IMAGE_SUFFIXES else tuple(suffixes)
    found = (names.by_folded.get(_folded(img_id, suffix)) for suffix in suffixes)
    return next((name for name in found if name is not None and name.endswith(ends)), None)


def parse_line(line: str, where: str, exists: Callable[[str], bool] | None = None) -> str | None:
    """The image id in one line of a list.

    The id is the first column, with or without the suffix of an image; labels or paths behind it are not read.
    ``/JPEGImages/<id>.jpg`` is an id too. An id with blanks is one if there is such an image, or if the whole line ends
    with the suffix of one: ``IMG 1.jpg``. A line ``<id> -1`` of VOC's lists of one class names an image without that
    class, which is left out; ``<id> 0``, where the objects of the class are difficult, is kept as ``<id> 1``.

    Args:
        line (str): The line, not blank.
        where (str): File and line, for the message.
        exists (Callable, optional): Says of an id whether there is such an image. Defaults to None: nobody knows.

    Returns:
        str, optional: The id; None if the image is left out.

    Raises:
        DatasetError: If the id is a path of any other form.
    """
    name = _name_in(line.strip(), exists)
    if line.split() == [name, '-1']:
        return None
    match = VOC_LIST_PATH.fullmatch(name)
    return check_id(strip_image_suffix(match['name'] if match else name), where)


def _name_in(line: str, exists: Callable[[str], bool] | None) -> str:
    """The name of the image in a line: its first column, or more of it where a name has blanks."""
    columns = re.split(r'(\s+)', line)
    if len(columns) == 1:
        return line
    if exists is not None:
        longest_first = (''.join(columns[:end]) for end in range(len(columns), 0, -2))
        found = next((name for name in longest_first if exists(strip_image_suffix(name))), None)
        if found is not None:
            return found
    one_suffix = strip_image_suffix(line) != line and strip_image_suffix(columns[0]) == columns[0]
    return line if one_suffix and '/' not in line else columns[0]


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


def check_duplicate(img_id: str, where: str, seen: dict[str, int]) -> None:
    """Refuse an id that ``seen``, ids and the lines that they were read in, already has; else add it.

    Raises:
        DatasetError: If the id was seen.
    """
    if img_id in seen:
        raise DatasetError(
            f'{where}: the id {img_id} is already in line {seen[img_id]}; keep one of the two',
            kind='duplicate id',
        )
    seen[img_id] = int(where.rpartition(' ')[2])  # the line alone: there may be a million


def read_ids(path: str, exists: Callable[[str], bool] | None = None) -> list[str]:
    """Image ids of a list, in its order.

    Args:
        path (str): Text file with one image a line, see :func:`parse_line`.
        exists (Callable, optional): Says of an id whether there is such an image, which tells ids with blanks from
            columns. Defaults to None.

    Raises:
        DatasetError: If the list is missing or empty, or an id is a path or there twice.
    """
    seen: dict[str, int] = {}
    for where, line in iter_lines(path):
        img_id = parse_line(line, where, exists)
        if img_id is not None:
            check_duplicate(img_id, where, seen)
    if not seen:
        raise DatasetError(f'{path}: every image is marked by -1; name a list with images', kind='empty list')
    return list(seen)
