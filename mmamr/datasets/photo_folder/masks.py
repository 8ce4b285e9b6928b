"""Masks in a folder of photos: as tags, and to measure against."""

import os.path as osp
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from mmamr.fileio import read_size, read_stored_mask
from mmamr.fileio.annotations import draw_shapes
from mmamr.fileio.images import open_image
from mmamr.structures import VOC_CLASSES, ClassIndex, voc_palette
from mmamr.utils import DatasetError, InputError, write_png

from ..splits import composed
from .folder import PhotoFolder, folders_of, mask_stems, shared_depth, stem_of
from .tags import Outlines, TagReader, Tags, read_lines

INSTANCES = re.compile(r'object|instance|colou?r|panoptic|depth', re.IGNORECASE)
"""Folders of masks whose values are no classes."""
BACKGROUND = {'background', '_background_', '__background__'}
"""Names of what is no class."""
IGNORED = ('__ignore__', 'ignore', 'ignored', 'void')
"""Names of areas that do not count."""
NAME_FILES = ('labelmap.txt', 'label_map.txt', 'classes.txt', 'class_names.txt', 'labels.txt')
OBJECT = 'object'
"""What masks of 0 and 255 show."""
SAMPLE = 200
"""How many masks are looked at to learn their values."""
Colour = tuple[int, int, int]


@dataclass
class MaskNames:
    """What the values or colours in masks mean.

    Args:
        values (dict[int, str]): The class of each value.
        colours (dict): The class of each RGB colour, from CVAT's ``labelmap.txt``; None is background.
    """

    values: dict[int, str] = field(default_factory=dict)
    colours: dict[Colour, str | None] = field(default_factory=dict)


class MaskReader(TagReader):
    """The classes in masks: indexed or grey PNG, or coloured ones beside CVAT's ``labelmap.txt``."""

    kind = 'masks'
    about = 'masks as PNG'

    def find(self, folder: PhotoFolder) -> list[str]:
        return sorted(masks_of(folder).values())

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        names = mask_names(tags.folder)
        classes: dict[int, str] = {}
        for photo, path in masks_of(tags.folder).items():
            try:
                found = classes_in_mask(tags.folder.path(path), names)
            except DatasetError as error:
                tags.broken.append(str(error))
                continue
            classes.update(found)
            tags.labels.setdefault(photo, set()).update(found.values())
        tags.name_classes(classes[value] for value in sorted(classes))


def masks_of(folder: PhotoFolder) -> dict[str, str]:
    """The mask of each photo that has one; of several folders of masks the first whose values are classes."""
    groups = sorted(folder.masks, key=lambda group: (INSTANCES.search(group) is not None, group))
    by_stem: dict[str, list[str]] = {}
    for photo in folder.photos:
        by_stem.setdefault(stem_of(photo), []).append(photo)
    found: dict[str, str] = {}
    for group in groups:
        if found and INSTANCES.search(group):
            break
        for path in folder.masks[group]:
            photos = next((by_stem[stem] for stem in mask_stems(path) if stem in by_stem), [])
            # of several photos of a name that which lies nearest: train/images/a.jpg for train/masks/a.png
            if photos:
                nearest = max(photos, key=lambda photo: shared_depth([folders_of(photo), folders_of(path)]))
                found.setdefault(nearest, path)
    return found


def mask_names(folder: PhotoFolder) -> MaskNames:
    """What a file beside the masks says of their values."""
    for name in NAME_FILES:
        for path in folder.files:
            if osp.basename(path).lower() != name:
                continue
            lines = [line for line in read_lines(folder.path(path)) if not line.startswith('#')]
            if all(re.fullmatch(r'[^:]+:\d+,\d+,\d+:.*', line) for line in lines):
                parts = [line.split(':') for line in lines]
                named = [(composed(part[0]), part[1].split(',')) for part in parts]
                return MaskNames(
                    colours={
                        (int(rgb[0]), int(rgb[1]), int(rgb[2])): None if label in BACKGROUND else label
                        for label, rgb in named
                    }
                )
            lines = [composed(line) for line in lines]
            first = 0 if lines and lines[0].lower() in BACKGROUND | {'__ignore__'} else 1
            lines = [line for line in lines if line != '__ignore__']
            return MaskNames(values={value: line for value, line in enumerate(lines, first) if value})
    return MaskNames()


def classes_in_mask(path: str, names: MaskNames) -> dict[int, str]:
    """The classes in a mask: its values, or numbers in the place of colours, with the names.

    Raises:
        DatasetError: If it is broken, or coloured without a table of the colours.
    """
    if names.colours:
        order = {label: number for number, label in enumerate(names.colours.values(), 1) if label is not None}
        found = _labels_by_colour(path, names)
        return {order[label]: label for label in found if label is not None}
    values = read_stored_mask(path)
    present = [value for value in np.flatnonzero(np.bincount(values.ravel(), minlength=256)).tolist() if value]
    if present == [ClassIndex.IGNORE] and not names.values:
        return {1: OBJECT}
    is_voc = not names.values and has_voc_palette(path)
    return {
        value: names.values.get(value) or (VOC_CLASSES[value - 1] if is_voc and value <= 20 else str(value))
        for value in present
        if value != ClassIndex.IGNORE
    }


def has_voc_palette(path: str) -> bool:
    """Whether an indexed PNG has VOC's colours."""
    with open_image(path) as image:
        colours = image.getpalette() if image.mode == 'P' else None
    return colours is not None and colours[: 21 * 3] == voc_palette()[:21].reshape(-1).tolist()


@dataclass
class MaskPlan:
    """How masks are laid out.

    Args:
        masks (dict[str, str]): The mask of each photo.
        names (MaskNames): What is in them.
        values (dict[str, int]): The value of each class that the masks will have.
        table (np.ndarray, optional): uint8 ``(256,)``, the value that becomes of each; None if files are good as they
            are.
        notes (list[str]): What is to be told.
        outlines (Outlines): Areas of each photo, in the place of a file.
    """

    masks: dict[str, str] = field(default_factory=dict)
    names: MaskNames = field(default_factory=MaskNames)
    values: dict[str, int] = field(default_factory=dict)
    table: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)
    outlines: Outlines = field(default_factory=dict)

    @property
    def photos(self) -> list[str]:
        """The photos that have a mask."""
        return [*self.masks, *self.outlines]

    def digest(self) -> str:
        """A hash of what :meth:`write` does to values."""
        table = None if self.table is None else self.table.tolist()
        return sha256(repr((self.names.colours, self.values, table)).encode()).hexdigest()

    def draw(self, photo: str, img_path: str, path: str) -> None:
        """Draw a mask of the outlines in a photo, and write it where it is not there already.

        Raises:
            DatasetError: If the photo is broken, or an outline does not fit it.
        """
        values = {**self.values, **dict.fromkeys(IGNORED, ClassIndex.IGNORE)}
        try:
            stored = draw_shapes(self.outlines[photo] or (), read_size(img_path), values)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise DatasetError(f'{img_path}: an outline of it is broken ({error}); draw it again') from None
        if not osp.isfile(path) or osp.islink(path) or not _is_same(path, stored):
            write_png(path, stored, voc_palette())

    def write(self, source: str, path: str) -> None:
        """Write a mask with the new values.

        Raises:
            DatasetError: If it is broken.
        """
        if self.names.colours:
            colours = _colours(source)
            stored = np.full(colours.shape, ClassIndex.IGNORE, np.uint8)
            for rgb, label in self.names.colours.items():
                stored[colours == _code(rgb)] = 0 if label is None else self.values.get(label, 0)
        else:
            assert self.table is not None
            stored = self.table[read_stored_mask(source)]
        write_png(path, stored, voc_palette())


def plan_masks(
    folder: PhotoFolder,
    splits: Mapping[str, str],
    classes: Sequence[str],
    by_masks: bool,
    named_values: Mapping[str, int] | None = None,
    drawn: Mapping[str, str] | None = None,
    drawn_names: MaskNames | None = None,
) -> MaskPlan:
    """Find out which value of the masks is which class.

    Args:
        folder (PhotoFolder): The photos.
        splits (Mapping[str, str]): The photos that masks are wanted of, each with its split; those to validate on
            need one.
        classes (Sequence[str]): The classes.
        by_masks (bool): Whether the classes were named by the masks themselves.
        named_values (Mapping[str, int], optional): What the user says. Defaults to None: nothing.
        drawn (Mapping[str, str], optional): Masks of some photos that the user named, in the place of those that lie
            beside the photos; none is needed. Defaults to None.
        drawn_names (MaskNames, optional): What is in them. Defaults to None.

    Returns:
        MaskPlan: Without masks if there are none, or their values have no meaning.
    """
    masks = {photo: path for photo, path in (masks_of(folder) if drawn is None else drawn).items() if photo in splits}
    needed = [photo for photo, split in splits.items() if split == 'val'] or list(splits)
    missing = sum(photo not in masks for photo in needed)
    if not masks or len(classes) >= ClassIndex.IGNORE:
        return MaskPlan()
    if missing and drawn is None:
        return MaskPlan(notes=[f'{missing} of {len(needed)} photos to validate on have no mask: masks are not used'])
    names = mask_names(folder) if drawn_names is None else drawn_names
    if named_values:
        names = MaskNames(values={value: name for name, value in named_values.items()})
    one_to_k = {name: value for value, name in enumerate(classes, 1)}
    if names.colours:
        return MaskPlan(masks, names, one_to_k)
    sample = list(masks.values())[:: max(1, len(masks) // SAMPLE)]
    found: dict[int, str] = {}
    try:
        for path in sample:
            found.update({value: name for value, name in classes_in_mask(folder.path(path), names).items()})
    except DatasetError as error:
        return MaskPlan(notes=[f'masks are not used: {error}'])
    binary = set(found.values()) == {OBJECT} and not names.values
    notes: list[str] = []
    if binary and len(classes) == 1:
        meaning = {value: classes[0] for value in range(1, 256)}
    elif by_masks or names.values or set(found.values()) <= set(classes):
        meaning = found
    elif set(found) <= set(one_to_k.values()):
        meaning = {value: name for name, value in one_to_k.items()}
        pairs = ', '.join(f'{value} {name}' for value, name in list(meaning.items())[:5])
        notes = [f'values in masks are taken as {pairs}; a classes.txt with a name a line would say otherwise']
    else:
        shown = ', '.join(map(str, sorted(found)[:10]))
        note = f'masks have the values {shown}, and no classes.txt or labelmap.txt names them: they are not used'
        return MaskPlan(notes=[note])
    values = {name: value for value, name in sorted(meaning.items(), reverse=True) if name in classes}
    free = iter(value for value in range(1, ClassIndex.IGNORE) if value not in meaning)
    values = {name: values[name] if name in values else next(free) for name in classes} if not binary else one_to_k
    if not binary and {meaning.get(value) for value in found} <= set(classes):
        return MaskPlan(masks, names, values, None, notes)
    table = np.zeros(256, np.uint8)
    table[ClassIndex.IGNORE] = ClassIndex.IGNORE
    for value, name in meaning.items():
        table[value] = values.get(name, 0)
    return MaskPlan(masks, names, values, table, notes)


def _is_same(path: str, stored: np.ndarray) -> bool:
    """Whether a mask file has these values."""
    try:
        return np.array_equal(read_stored_mask(path), stored)
    except DatasetError:
        return False


def _labels_by_colour(path: str, names: MaskNames) -> set[str | None]:
    known = {_code(rgb): label for rgb, label in names.colours.items()}
    return {known[code] for code in np.unique(_colours(path)).tolist() if code in known}


def _colours(path: str) -> np.ndarray:
    """The colours of an image as one number a pixel."""
    with open_image(path) as image:
        rgb = np.asarray(image.convert('RGB')).astype(np.int32)
    return rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]


def _code(rgb: Sequence[int]) -> int:
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2]
