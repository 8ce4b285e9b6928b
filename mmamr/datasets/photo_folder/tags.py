"""The tags of photos, and what all readers of them have in common."""

import json
import os.path as osp
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmamr.fileio.annotations import Shape
from mmamr.utils import DatasetError, InputError

from ..splits import composed
from .folder import PhotoFolder, split_of_name

SHOWN = 3
"""How many lines of one kind are told."""


@dataclass
class Tags:
    """What a reader found.

    Args:
        folder (PhotoFolder): The photos.
        wanted (Sequence[str]): Classes that the user named; all where there are none.
        labels (dict[str, set[str]]): Names of the classes of each photo that the tags mention.
        classes (list[str]): Classes in the order in which the files name them, whether a photo has them or not; none
            where files have no list of them.
        unknown (list[str]): Names that no photo has, or several have.
        joined (set[str]): Photos that several files name.
        broken (list[str]): What is wrong with files, one line each.
    """

    folder: PhotoFolder
    wanted: Sequence[str] = ()
    labels: dict[str, set[str]] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)
    _before: frozenset[str] = frozenset()
    _split: str | None = None

    def begin(self, path: str) -> None:
        """A file with tags of many photos begins: note where it names photos that another has named before."""
        self._before = frozenset(self.labels)
        words = re.split(r'[^A-Za-z]+', osp.splitext(path)[0])
        self._split = next((split for word in reversed(words) if (split := split_of_name(word))), None)

    def add(self, name: str, labels: Iterable[str], base: str = '', where: str = '') -> None:
        """Add labels of a photo.

        Args:
            name (str): What the file calls it.
            labels (Iterable[str]): Its classes; perhaps none.
            base (str): Folder of the file, to which the name may be relative. Defaults to ''.
            where (str): File and line, for the message. Defaults to ''.
        """
        photos = self.photos_of(name, base)
        if len(photos) != 1:
            what = f'{len(photos)} photos have this name, write its folder too' if photos else 'no such photo'
            self.unknown.append(f'{where or base}: {name}: {what}')
            return
        if photos[0] in self._before:
            self.joined.add(photos[0])
        self.labels.setdefault(photos[0], set()).update(filter(None, map(plain_name, labels)))

    def photos_of(self, name: str, base: str = '') -> list[str]:
        """The photos that a name may mean; one, if all is well. Arguments as of :meth:`add`."""
        photos = self.folder.names.find(name, base)
        if len(photos) > 1 and self._split is not None:  # instances_val.json means val/1.jpg, not train/1.jpg
            photos = [path for path in photos if self._split in map(split_of_name, path.split('/'))] or photos
        return photos

    def name_classes(self, names: Iterable[str]) -> None:
        """Note the classes that a file lists, in its order."""
        self.classes = list(dict.fromkeys([*self.classes, *filter(None, map(plain_name, names))]))


def plain_name(name: str) -> str:
    """The name of a class on one line, in composed letters."""
    return composed(re.sub(r'\s*[\r\n\t]\s*', ' ', name).strip())


Outlines = dict[str, list[Shape] | None]
"""The areas of each photo, from the lowest to the topmost; None where something is marked without its outline."""


class TagReader:
    """Base of the readers, one a format.

    ``kind`` is the name of the format for ``--labels``, ``about`` says in a few words what it is.
    """

    kind = ''
    about = ''

    def find(self, folder: PhotoFolder) -> list[str]:
        """The files of this format below a folder, as relative paths; none if there are no tags in this format."""
        raise NotImplementedError

    def accepts(self, path: str) -> bool:
        """Whether one file that the user named, with its path, may be of this format."""
        return False

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        """Read files that :meth:`find` found, or that the user named with an absolute path.

        Raises:
            DatasetError: If nothing can be read: one line with the file and the cure.
        """
        raise NotImplementedError

    def outlines(self, tags: Tags, files: Sequence[str]) -> Outlines:
        """The areas that the files outline, by their photos; none of formats that only name classes.

        Args:
            tags (Tags): Finds the photos; what is wrong with files is noted there.
            files (Sequence[str]): As of :meth:`read`.
        """
        return {}


def base_of(path: str) -> str:
    """The folder of a file of tags, relative to the photos; that of an absolute path is none."""
    return '' if osp.isabs(path) else osp.dirname(path)


def read_json(path: str) -> Any:
    """A JSON file in UTF-8.

    Raises:
        DatasetError: If it is missing or broken.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            return json.load(file)
    except (ValueError, RecursionError) as error:
        reason = ' '.join(str(error).split())
        raise DatasetError(f'{path}: broken JSON ({reason}); export it again', kind='broken label') from None
    except OSError as error:
        raise DatasetError(f'{path}: {error.strerror}; name another file', kind='broken label') from None


def read_lines(path: str) -> list[str]:
    """The lines of a text file that are not blank.

    Raises:
        DatasetError: If it is no text.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            return [line.strip() for line in file if line.strip()]
    except (UnicodeDecodeError, OSError):
        raise DatasetError(f'{path}: no text file in UTF-8; save it as one', kind='broken label') from None


def first_keys(path: str, size: int = 4096) -> str:
    """The beginning of a file, by which JSON of different tools is told apart without reading it all."""
    try:
        with open(path, encoding='utf-8-sig', errors='replace') as file:
            return file.read(size)
    except OSError:
        return ''


def has_keys(path: str, *keys: bytes) -> bool:
    """Whether all of these bytes stand in a file, which may be large."""
    missing, before = set(keys), b''
    with open(path, 'rb') as file:
        while missing and (part := file.read(1 << 22)):
            missing = {key for key in missing if key not in before + part}
            before = part[-max(map(len, keys)) :]
    return not missing


def few(lines: Sequence[str], what: str) -> list[str]:
    """Some lines of one kind, the first few and how many there are."""
    if not lines:
        return []
    more = f'; {len(lines) - SHOWN} more' if len(lines) > SHOWN else ''
    return [f'{len(lines)} {what}: ' + '; '.join(lines[:SHOWN]) + more]


def whole(number: Any) -> int | None:
    """A whole number from JSON or text; None if it is none."""
    try:
        return int(number)
    except (TypeError, ValueError):
        return None


def mapping(value: Any) -> Mapping:
    """A value of JSON if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping]:
    """The objects in a value of JSON if it is a list; what else is in it is left out."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def no_tags(folder: PhotoFolder, readers: Sequence[TagReader], tables: Sequence[str]) -> InputError:
    """The line for photos without tags; ``tables`` are CSV files that name other photos."""
    formats = ', '.join(f'{reader.about} ({reader.kind})' for reader in readers)
    other = f' ({", ".join(tables[:3])} has names, but of no photo here)' if tables else ''
    return InputError(
        f'{folder.root}: {len(folder.photos)} photos, but no tags of them{other}; put one of these there, or name it '
        f'by --labels: {formats}'
    )
