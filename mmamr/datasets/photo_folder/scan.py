"""A folder of photos with their tags, whatever format those have."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmamr.utils import DatasetError, InputError

from .folder import PhotoFolder
from .masks import BACKGROUND, MaskReader
from .readers import KINDS, READERS, CSVReader
from .tags import TagReader, Tags, few, no_tags, plain_name


@dataclass
class Scan:
    """The photos of a folder and their tags.

    Args:
        folder (PhotoFolder): The photos.
        reader (TagReader): Of the format that the tags have.
        files (list[str]): What it read.
        labels (dict[str, tuple[str, ...]]): Classes of each photo that has tags, by its relative path; perhaps none.
        classes (tuple[str, ...]): All classes.
        notes (list[str]): What is to be told, one line each.
    """

    folder: PhotoFolder
    reader: TagReader
    files: list[str]
    labels: dict[str, tuple[str, ...]]
    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)

    @property
    def about(self) -> str:
        """The format, and where it was found."""
        if isinstance(self.reader, MaskReader) or len(self.files) > 3 or not osp.splitext(self.files[0])[1]:
            return f'{self.reader.about} ({len(self.files)})'
        return f'{self.reader.about} ({", ".join(self.files)})'


def scan(
    source: str, labels: str | None = None, classes: Sequence[str] | None = None, exclude: Sequence[str] = ()
) -> Scan:
    """Find the photos in a folder, and their tags in the format that lies there.

    Args:
        source (str): The folder.
        labels (str, optional): One of :data:`KINDS`, or a file of tags, relative to where the program was started or to
            ``source``. Defaults to None: the first format in :data:`READERS` that is there.
        classes (Sequence[str], optional): The classes; other tags are not used. Defaults to None: all that the tags
            name, without a class called background, which is none.
        exclude (Sequence[str]): Folders below ``source`` that are skipped. Defaults to none.

    Raises:
        InputError: If there are no photos, or no tags of them.
    """
    folder = PhotoFolder(source, exclude)
    if not folder.photos:
        raise InputError(f'{source}: no photo below this folder; it needs .jpg, .png, .webp, .bmp or .tif files')
    reader, files, also = _choose(folder, labels)
    tags = Tags(folder, [plain_name(name) for name in classes or ()])
    reader.read(tags, files)
    notes = [*also, *few(tags.broken, 'problems'), *few(tags.unknown, 'tags of no photo')]
    if tags.joined:
        notes.append(
            f'{len(tags.joined)} photos are in several of {", ".join(files[:5])}: their labels are joined; '
            '--labels FILE takes one'
        )
    if not any(tags.labels.values()):
        raise DatasetError(
            f'{source}: none of its {len(folder.photos)} photos has a label from {reader.about}; '
            + ('; '.join(notes) or 'name another file or format by --labels'),
            kind='no labels',
        )
    names, more = _classes(tags)
    known = set(names)
    labels_of = {photo: tuple(name for name in names if name in tags.labels[photo]) for photo in sorted(tags.labels)}
    left = len(folder.photos) - len(labels_of)
    if left:
        notes.append(f'{left} photos that no tag mentions are left out')
    empty = sum(not found for found in labels_of.values())
    if empty:
        notes.append(f'{empty} photos have none of the classes; they are kept, as photos of something else')
    if not known & {name for found in labels_of.values() for name in found}:
        raise InputError(f'{source}: no photo shows {", ".join(names[:5])}; the tags are {_shown(tags)}')
    return Scan(folder, reader, files, labels_of, names, notes + more)


def _choose(folder: PhotoFolder, labels: str | None) -> tuple[TagReader, list[str], list[str]]:
    """The reader, its files, and what is to be told of others."""
    if labels is not None and labels in KINDS:
        reader = READERS[KINDS.index(labels)]
        files = reader.find(folder)
        if not files:
            raise InputError(f'{folder.root}: no tags of the kind {labels}: {reader.about}')
        return reader, files, []
    if labels is not None:
        path = labels if osp.exists(labels) else osp.join(folder.root, labels)
        if osp.isdir(path) or not osp.exists(path):
            what = 'a folder' if osp.isdir(path) else 'no such file'
            raise InputError(f'--labels {labels}: {what}; name a file of tags, or one of {", ".join(KINDS)}')
        for reader in READERS:
            if reader.accepts(path):
                inside = osp.relpath(osp.realpath(path), osp.realpath(folder.root)).replace(os.sep, '/')
                return reader, [osp.abspath(path) if inside.startswith('../') else inside], []
        raise InputError(f'{path}: no tags in a format that is read; name one of {", ".join(KINDS)}')
    found = ((reader, reader.find(folder)) for reader in READERS)
    there = [(reader, files) for reader, files in found if files]
    if not there:
        raise no_tags(folder, READERS, CSVReader.tables(folder))
    (reader, files), *others = there
    also = [other.kind for other, _ in others if other.kind not in ('masks', 'folders')]
    return reader, files, [f'tags as {", ".join(also)} are there too; --labels takes them'] if also else []


def _classes(tags: Tags) -> tuple[tuple[str, ...], list[str]]:
    """The classes in order, and what is to be told of them."""
    counts = Counter(name for found in tags.labels.values() for name in found)
    if tags.wanted:
        without = [name for name in tags.wanted if not counts[name]]
        other = sorted(set(counts) - set(tags.wanted))
        notes = [f'no photo shows {", ".join(without)}'] if without else []
        notes += [f'tags that are no classes: {", ".join(other[:10])}'] if other else []
        return tuple(dict.fromkeys(tags.wanted)), notes
    names = tags.classes if set(counts) <= set(tags.classes) else sorted(counts)
    background = [name for name in names if name.lower() in BACKGROUND]
    without = [name for name in names if not counts[name] and name not in background]
    notes = [f'{", ".join(background)} is taken as none of the classes; --classes may name it'] if background else []
    notes += [f'no photo shows {", ".join(without[:10])}: no classes'] if without else []
    return tuple(name for name in names if counts[name] and name not in background), notes


def _shown(tags: Tags) -> str:
    names = sorted({name for found in tags.labels.values() for name in found})
    return ', '.join(names[:10]) + (f' and {len(names) - 10} more' if len(names) > 10 else '')
