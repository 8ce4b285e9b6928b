"""The embedded data set on disk, in the layout of PASCAL VOC, drawn once."""

import hashlib
import json
import os
import os.path as osp
from collections.abc import Iterable
from xml.etree import ElementTree

from mmamr.structures import voc_palette
from mmamr.utils import DatasetError, atomic_write, track, write_png

from .scene import Scene, draw_scene

VERSION = 1
"""Number of the drawings: goes up whenever a pixel changes."""
NUM_TRAIN, NUM_VAL, SEED = 400, 100, 0
MANIFEST = 'manifest.json'


def split_ids(num_train: int = NUM_TRAIN, num_val: int = NUM_VAL) -> dict[str, list[str]]:
    """Image ids of the two splits."""
    return {
        split: [f'{split}_{number:04d}' for number in range(total)]
        for split, total in (('train', num_train), ('val', num_val))
    }


def draw_image(img_id: str, seed: int = SEED) -> Scene:
    """The picture of an image id. The first pictures of a split do not depend on how many the split has."""
    split, number = img_id.split('_')
    return draw_scene(seed, ('train', 'val').index(split), int(number))


def embedded_root(
    data_root: str | None = None, num_train: int = NUM_TRAIN, num_val: int = NUM_VAL, seed: int = SEED
) -> str:
    """Folder of the embedded data set, which is drawn first if it is not there whole.

    Files are written whole, the manifest with their checksums last. So it does not matter when a process is killed or
    how many of them begin at once: each draws the same bytes. What the manifest does not vouch for is drawn again;
    nothing is ever removed.

    Args:
        data_root (str, optional): The folder. Defaults to None: ``embedded-v1`` in the folder that the environment
            variable ``MMAMR_CACHE`` names, else in ``~/.cache/mmamr``; another number of pictures or another seed is
            part of its name.
        num_train (int): Pictures to train with. Defaults to 400.
        num_val (int): Pictures to validate on. Defaults to 100.
        seed (int): Seed of the drawings. Defaults to 0.

    Returns:
        str: The folder.

    Raises:
        DatasetError: If the folder holds something else or cannot be written.
    """
    about = dict(version=VERSION, num_train=num_train, num_val=num_val, seed=seed)
    if data_root is None:
        name = f'embedded-v{VERSION}'
        if (num_train, num_val, seed) != (NUM_TRAIN, NUM_VAL, SEED):
            name += f'_{num_train}-{num_val}-seed{seed}'
        data_root = osp.join(os.environ.get('MMAMR_CACHE') or '~/.cache/mmamr', name)
    data_root = osp.expanduser(data_root)

    known = _read_manifest(data_root, about)
    ids = split_ids(num_train, num_val)
    all_ids = [*ids['train'], *ids['val']]
    missing = [img_id for img_id in all_ids if not _is_whole(data_root, _files_of(img_id), known)]
    lists = {osp.join('ImageSets', 'Segmentation', f'{split}.txt'): ids[split] for split in ids}
    if not missing and _is_whole(data_root, lists, known):
        return data_root
    try:
        for img_id in track(missing, f'Drawing the embedded data set into {data_root}'):
            _write_image(data_root, img_id, draw_image(img_id, seed))
        for path, names in lists.items():
            with atomic_write(osp.join(data_root, path), 'w', newline='\n') as file:
                file.writelines(f'{img_id}\n' for img_id in names)
        paths = [*lists, *(path for img_id in all_ids for path in _files_of(img_id))]
        checksums = {path: _checksum(osp.join(data_root, path)) for path in paths}
        with atomic_write(osp.join(data_root, MANIFEST), 'w') as file:
            json.dump(dict(about, sha256=checksums), file, indent=0)
    except OSError as error:
        raise DatasetError(
            f'{data_root}: the embedded data set cannot be written ({error.strerror}); set MMAMR_CACHE to a folder '
            'that can be written and has 20 MB free'
        ) from None
    return data_root


def _files_of(img_id: str) -> list[str]:
    return [
        osp.join('JPEGImages', f'{img_id}.png'),
        osp.join('SegmentationClass', f'{img_id}.png'),
        osp.join('Annotations', f'{img_id}.xml'),
    ]


def _checksum(path: str) -> str:
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def _is_whole(root: str, paths: Iterable[str], known: dict[str, str]) -> bool:
    """Whether all files are there with the checksums of the manifest."""
    try:
        return all(path in known and _checksum(osp.join(root, path)) == known[path] for path in paths)
    except OSError:
        return False


def _read_manifest(root: str, about: dict) -> dict[str, str]:
    """Checksums of the files that the manifest vouches for; none where it is missing or broken.

    Raises:
        DatasetError: If the folder holds another data set.
    """
    try:
        with open(osp.join(root, MANIFEST)) as file:
            found = json.load(file)
        known = dict(found.pop('sha256'))
    except FileNotFoundError:
        # A first drawing may have been cut short: then there are pictures of ours, but no list yet.
        if osp.exists(osp.join(root, 'ImageSets')):
            raise _occupied(root) from None
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    if found != about:
        raise _occupied(root)
    return known


def _occupied(root: str) -> DatasetError:
    return DatasetError(f'{root}: holds another data set, which is left alone; choose another folder')


def _write_image(root: str, img_id: str, scene: Scene) -> None:
    image, mask, annotation = (osp.join(root, path) for path in _files_of(img_id))
    write_png(image, scene.image)
    write_png(mask, scene.mask, voc_palette())
    with atomic_write(annotation) as file:
        ElementTree.ElementTree(_annotation(img_id, scene)).write(file)


def _annotation(img_id: str, scene: Scene) -> ElementTree.Element:
    """The objects in VOC's XML; its boxes count pixels from 1."""
    height, width, depth = scene.image.shape
    size = dict(width=width, height=height, depth=depth)
    root = _element('annotation', dict(folder='embedded', filename=f'{img_id}.png', segmented=1, size=size))
    for thing in scene.objects:
        box = dict(zip(('xmin', 'ymin', 'xmax', 'ymax'), (value + 1 for value in thing.box)))
        fields = dict(name=thing.name, truncated=int(thing.truncated), difficult=int(thing.difficult), bndbox=box)
        root.append(_element('object', fields))
    ElementTree.indent(root)
    return root


def _element(name: str, value: object) -> ElementTree.Element:
    """An XML element with a text, or with elements for the items of a dict."""
    element = ElementTree.Element(name)
    if isinstance(value, dict):
        element.extend(_element(key, item) for key, item in value.items())
    else:
        element.text = str(value)
    return element
