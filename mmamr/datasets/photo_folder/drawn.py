"""Masks that people drew or corrected: outlines in the files of their tools, or PNGs of their own."""

import os.path as osp
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mmamr.utils import DatasetError, InputError

from .folder import LAYOUT, PhotoFolder, mask_stems
from .masks import BACKGROUND, MaskNames, mask_names
from .readers import READERS
from .tags import Outlines, TagReader, Tags, few, mapping, mappings, plain_name, read_json, whole


@dataclass
class DrawnMasks:
    """Masks of photos, from outlines or as files.

    Args:
        outlines (Outlines): Areas of each photo.
        files (dict[str, str]): The PNG of each photo.
        names (MaskNames): What the values or colours of the PNGs mean.
        notes (list[str]): What is to be told.
    """

    outlines: Outlines = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    names: MaskNames = field(default_factory=MaskNames)
    notes: list[str] = field(default_factory=list)


def outlines_of_tags(folder: PhotoFolder, reader: TagReader, files: Collection[str]) -> Outlines:
    """The outlines in the files that the tags were read from."""
    return reader.outlines(Tags(folder), list(files))


def open_masks(folder: PhotoFolder, path: str) -> DrawnMasks:
    """The masks of photos in a file or folder that a user names.

    Args:
        folder (PhotoFolder): The photos.
        path (str): COCO's json, CVAT's xml or a json of LabelMe; or a folder of these, or of PNG masks that are called
            as their photos, perhaps with ``classes.txt`` or ``labelmap.txt`` beside them; also one of
            ``tools/predict.py``.

    Raises:
        InputError: If there is nothing of that, or nothing that fits a photo.
    """
    path = osp.abspath(osp.expanduser(path))
    if not osp.exists(path):
        raise InputError(
            f'--masks {path}: no such file or folder; name a COCO json, a CVAT xml, or a folder of LabelMe json or of '
            'PNG masks'
        )
    inner = PhotoFolder(path) if osp.isdir(path) else None
    files = [path] if inner is None else [inner.path(one) for one in inner.files]
    tags, drawn = Tags(folder), DrawnMasks()
    for reader in READERS:
        accepted = [one for one in files if reader.accepts(one)] if reader.kind in ('coco', 'labelme', 'cvat') else []
        if accepted:
            drawn.outlines.update(reader.outlines(tags, accepted))
    drawn.notes += few(tags.broken, 'problems')
    if inner is not None and not drawn.outlines:
        images = [*inner.photos, *(one for group in inner.masks.values() for one in group)]
        drawn.names = mask_names(inner)
        if not drawn.names.values and not drawn.names.colours:
            drawn.names = _names_of_predictions(path)
        for one in images:
            stems = mask_stems(one) if one.lower().endswith('.png') else []
            photos = next((found for stem in stems if (found := folder.names.find(stem))), [])
            if len(photos) == 1:
                drawn.files[photos[0]] = inner.path(one)
    if not drawn.outlines and not drawn.files:
        raise InputError(
            f'--masks {path}: no masks or outlines of these photos in it; it needs COCO json, LabelMe json, CVAT xml, '
            'or PNG masks that are called as their photos' + ''.join(f' ({note})' for note in drawn.notes)
        )
    return drawn


def _names_of_predictions(path: str) -> MaskNames:
    """What ``tools/predict.py`` wrote of its masks beside them, or above them; nothing of other masks."""
    for folder in (path, osp.dirname(path)):
        try:
            classes = mappings(mapping(read_json(osp.join(folder, LAYOUT))).get('classes'))
        except DatasetError:
            continue
        return MaskNames(
            {
                value: plain_name(str(one.get('name')))
                for one in classes
                if (value := whole(one.get('value'))) is not None and not one.get('background')
            }
        )
    return MaskNames()


def complete(outlines: Outlines, labels: Mapping[str, Collection[str]]) -> tuple[Outlines, list[str]]:
    """The photos whose outlines are a whole mask, and what is to be told of the others.

    They are where something is marked without an outline, such as by a box, or where a class that the photo is tagged
    with has none: nobody knows then what the rest of the photo is.

    Args:
        outlines (Outlines): As they were found.
        labels (Mapping): Classes of each photo by its tags.
    """
    whole: Outlines = {}
    left = []
    for photo, shapes in outlines.items():
        if photo not in labels:
            continue
        names = None if shapes is None else {shape.label for shape in shapes}
        missing = set() if names is None else {name for name in labels[photo] if name not in names}
        if names is None or missing - BACKGROUND:
            left.append(f'{photo}: ' + (f'no outline of {", ".join(sorted(missing))}' if missing else 'not outlined'))
        else:
            whole[photo] = shapes
    return whole, few(left, 'photos without a whole mask') if whole else []
