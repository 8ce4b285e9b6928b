"""Which photos are trained with, and which are kept to validate on."""

import hashlib
import os.path as osp
from collections.abc import Container, Iterable, Mapping, Sequence

from mmamr.utils import DatasetError

from ..splits import composed, iter_lines
from .folder import PhotoFolder, folders_of, split_of_name

LIST_FOLDERS = ('ImageSets/Segmentation', 'ImageSets/Main', 'ImageSets', '')


def split_depth(photos: Sequence[str]) -> int | None:
    """Which folder of the paths names the split: 0 for ``train/cat/1.jpg``; None where none does.

    All photos must lie in such a folder, one called train among them: else ``train`` may be a class.
    """
    if not photos:
        return None
    folders = [folders_of(path) for path in photos]
    for depth in range(min(map(len, folders))):
        splits = {split_of_name(parts[depth]) for parts in folders}
        if None not in splits and 'train' in splits and len(splits) > 1:
            return depth
    return None


def declared_splits(folder: PhotoFolder) -> dict[str, str]:
    """The split of each photo, as far as lists or folders of the user say it.

    Lists are ``train.txt``, ``val.txt`` and ``test.txt`` in ``ImageSets/Segmentation``, ``ImageSets/Main``,
    ``ImageSets`` or beside the photos; else folders ``train``, ``val`` or ``valid``, and ``test``. Photos that are in
    no list are none of the data set.
    """
    for place in LIST_FOLDERS:
        found: dict[str, str] = {}
        for path in folder.with_suffix('.txt'):
            split = split_of_name(osp.splitext(osp.basename(path))[0])
            if osp.dirname(path) == place and split is not None:
                # a photo that is trained with is not validated on
                for photo in _listed(folder, path):
                    if split == 'train' or photo not in found:
                        found[photo] = split
        if 'train' in found.values():
            return found
    depth = split_depth(folder.photos)
    if depth is None:
        return {}
    splits = {path: split_of_name(path.split('/')[depth]) for path in folder.photos}
    return {path: split for path, split in splits.items() if split is not None}


def _listed(folder: PhotoFolder, path: str) -> Iterable[str]:
    """The photos that a list names, by whole lines or the first of their columns; none if it is no such list."""
    try:
        lines = [line.strip() for _, line in iter_lines(folder.path(path))]
    except DatasetError:
        return []
    photos = []
    for line in lines:
        found = folder.names.find(line, osp.dirname(path)) or folder.names.find(line.split()[0], osp.dirname(path))
        photos += found[:1]
    return photos if 2 * len(photos) >= len(lines) else []


def hash_of(path: str) -> float:
    """A number in [0, 1) that a photo has by its relative path alone."""
    digest = hashlib.sha256(composed(path).encode(errors='surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64


def divide(
    photos: Sequence[str],
    declared: Mapping[str, str],
    val_ratio: float,
    before: Mapping[str, str],
    measurable: Container[str] | None = None,
    learns: bool = False,
) -> dict[str, str]:
    """The split of each photo: ``'train'``, ``'val'`` or ``'test'``.

    What the user declared holds. Else a photo is validated on if its hash is below ``val_ratio``, so that it stays
    where it is when others are added; if none is, the one with the smallest hash.

    Args:
        photos (Sequence[str]): Those with tags.
        declared (dict[str, str]): See :func:`declared_splits`.
        val_ratio (float): Part of the photos to validate on.
        before (dict[str, str]): Splits that were given before, with the same ratio.
        measurable (Container[str], optional): The only photos that may be validated on, since they have masks; up to
            half of them are. Defaults to None: all.
        learns (bool): Whether some of those that may be validated on shall be trained with, since their masks are
            learnt from. Defaults to False.
    """
    if declared:
        photos = [path for path in photos if path in declared]
    splits = {path: declared.get(path, 'train') for path in photos}
    if 'val' in splits.values():
        return splits
    training = [path for path in photos if splits[path] == 'train']
    eligible = [path for path in training if measurable is None or path in measurable]
    if measurable is not None and eligible:
        val_ratio = min(max(0.5, val_ratio), val_ratio * len(training) / len(eligible))
    for path in eligible:
        splits[path] = before.get(path) or ('val' if hash_of(path) < val_ratio else 'train')
    if val_ratio > 0 and len(training) > 1:
        chosen = {splits[path] for path in training}
        if 'val' not in chosen:
            splits[min(eligible or training, key=hash_of)] = 'val'
        if 'train' not in chosen:
            splits[max(training, key=hash_of)] = 'train'
    if learns and len(eligible) > 1 and all(splits[path] == 'val' for path in eligible):
        for path in sorted(eligible, key=hash_of)[len(eligible) // 2 :]:
            splits[path] = 'train'
    return splits
