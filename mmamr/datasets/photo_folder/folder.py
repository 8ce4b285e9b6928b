"""What lies in a folder of photos: the photos, masks of them, and all other files."""

import hashlib
import os
import os.path as osp
import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cached_property

from mmamr.fileio.images import BROKEN, open_image
from mmamr.utils import InputError

from ..splits import IMAGE_SUFFIXES, composed
from .names import PhotoNames

LAYOUT = 'classes.json'
"""The file that says what a folder laid out by this package shows."""
MADE_HERE = ({LAYOUT, 'photos.csv'}, {'manifest.json', 'pipeline.log'}, {LAYOUT, 'contact_sheet.jpg'})
"""Names by which a folder that this package filled is known: it is no folder of photos."""
SKIPPED_FOLDERS = {'__macosx', '__pycache__', '@eadir', '$recycle.bin', 'system volume information', 'work_dirs'}
SPLIT_NAMES = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
"""Names of folders and lists, perhaps with a year behind them, as in ``train2017``."""
MASK_FOLDER = re.compile(r'mask|seg|label|annot|\bgt|ground[ _-]?truth', re.IGNORECASE)
MASK_NAME = re.compile(r'[ _.-]?(?:mask|seg|segmentation|label|labels|gt|L|labelids|labeltrainids)$', re.IGNORECASE)


class PhotoFolder:
    """The files below a folder, listed once; nothing is decoded.

    Hidden files and folders, ``__MACOSX`` and the like, ``work_dirs`` and folders that this package laid out are
    skipped. PNG files that are masks of other photos are no photos: a folder of them is called masks, labels,
    SegmentationClass or so, or its files have few values, as no photo has.

    Args:
        root (str): The folder.
        exclude (Sequence[str]): Folders below it that are skipped. Defaults to none.

    Raises:
        InputError: If there is no such folder.
    """

    def __init__(self, root: str, exclude: Sequence[str] = ()) -> None:
        self.root = root
        if not osp.isdir(root):
            raise InputError(f'{root}: no such folder; name the folder of your photos')
        apart = {osp.realpath(path) for path in exclude} - {osp.realpath(root)}
        self.stamps: dict[str, tuple[int, int]] = {}
        images: list[str] = []
        for path, entry in _walk(root, '', apart, {osp.realpath(root)}):
            if path.lower().endswith(IMAGE_SUFFIXES):
                images.append(path)
            else:
                stat = entry.stat()
                self.stamps[path] = stat.st_size, stat.st_mtime_ns
        self.masks = find_masks(root, sorted(images))
        of_masks = {path for paths in self.masks.values() for path in paths}
        self.photos = [path for path in sorted(images) if path not in of_masks]
        self.files = sorted(self.stamps)

    @cached_property
    def names(self) -> PhotoNames:
        """Finds a photo by what a file of tags calls it."""
        return PhotoNames(self.photos)

    def with_suffix(self, *suffixes: str) -> list[str]:
        """The other files with these suffixes, in any case."""
        return [path for path in self.files if path.lower().endswith(suffixes)]

    def path(self, relative: str) -> str:
        """The path of a file."""
        return osp.join(self.root, relative)

    def digest(self, *more: object) -> str:
        """A hash of the names of all photos, and of what tells that another file has changed."""
        digest = hashlib.sha256(repr(more).encode())
        digest.update('\n'.join(self.photos).encode(errors='surrogateescape'))
        digest.update(repr(sorted(self.stamps.items())).encode(errors='surrogateescape'))
        for path in sorted(path for paths in self.masks.values() for path in paths):
            stat = os.stat(self.path(path))
            digest.update(f'{path} {stat.st_size} {stat.st_mtime_ns}\n'.encode(errors='surrogateescape'))
        return digest.hexdigest()


def _walk(root: str, below: str, apart: set[str], seen: set[str]) -> Iterator[tuple[str, os.DirEntry]]:
    """Files below a folder, each with its path relative to ``root``, in posix form."""
    with os.scandir(osp.join(root, below)) as entries:
        found = [entry for entry in entries if not entry.name.startswith('.')]
    names = {entry.name for entry in found}
    if below and any(made <= names for made in MADE_HERE):
        return
    for entry in found:
        path = f'{below}/{entry.name}' if below else entry.name
        if entry.is_file():
            yield path, entry
        elif entry.is_dir() and entry.name.lower() not in SKIPPED_FOLDERS:
            real = osp.realpath(entry.path)
            if real in seen or real in apart:
                continue
            seen.add(real)
            yield from _walk(root, path, apart, seen)


def split_of_name(name: str) -> str | None:
    """The split that a folder or list is named after, such as ``val`` for ``valid`` or ``val2017``."""
    return SPLIT_NAMES.get(re.sub(r'\d{4}$', '', name.lower()))


def folders_of(path: str) -> list[str]:
    """The folders in a relative path, without the name of its file."""
    return path.split('/')[:-1]


def shared_depth(folders: Sequence[Sequence[str]]) -> int:
    """How many folders several paths share from the top."""
    return next((depth for depth, names in enumerate(zip(*folders)) if len(set(names)) > 1), min(map(len, folders)))


def stem_of(path: str) -> str:
    """The name of a file without folder and suffix, in composed letters."""
    return composed(osp.splitext(osp.basename(path))[0])


def find_masks(root: str, images: Sequence[str]) -> dict[str, list[str]]:
    """The images that are masks of others, by their folder.

    PNG files are masks if another image has their stem, perhaps without ``_mask`` or the like, and they have few
    colours, which that image has not. Folders that are called masks, labels, SegmentationClass or so come first.

    Args:
        root (str): Where the paths begin.
        images (Sequence[str]): Relative paths of all images, sorted.
    """
    folders: dict[str, list[str]] = defaultdict(list)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for path in images:
        folders[osp.dirname(path)].append(path)
        by_stem[stem_of(path)].append(path)
    masks: dict[str, list[str]] = {}
    for folder in sorted(folders, key=lambda folder: (not MASK_FOLDER.search(folder), folder)):
        pngs = [path for path in folders[folder] if path.lower().endswith('.png')]
        own = set([path for path in pngs if MASK_NAME.search(stem_of(path))] or pngs)
        partners = {path: partner for path in sorted(own) if (partner := _partner(path, by_stem, own, masks))}
        named = MASK_FOLDER.search(folder) is not None
        if 2 * len(partners) < len(own) or not partners:
            continue
        sample = [*partners][:: max(1, len(partners) // 3)][:3]
        if not all(has_few_colours(osp.join(root, path), 256 if named else 32) for path in sample):
            continue
        if named or not all(has_few_colours(osp.join(root, partners[path]), 32) for path in sample):
            masks[folder] = [*partners]
    return masks


def mask_stems(path: str) -> list[str]:
    """The stems that the photo of a mask may have: that of the mask, and that without ``_mask`` or the like."""
    stem = stem_of(path)
    return list(dict.fromkeys([stem, MASK_NAME.sub('', stem)]))


def _partner(
    path: str, by_stem: Mapping[str, list[str]], own: Container[str], masks: Mapping[str, Sequence[str]]
) -> str | None:
    """An image that a file may be a mask of."""
    others = (other for stem in mask_stems(path) for other in by_stem.get(stem, ()))
    return next((other for other in others if other not in own and osp.dirname(other) not in masks), None)


def has_few_colours(path: str, limit: int) -> bool:
    """Whether an image has at most so many colours; a photo has more."""
    try:
        with open_image(path) as image:
            return image.getcolors(maxcolors=limit) is not None
    except (FileNotFoundError, *BROKEN):
        return False
