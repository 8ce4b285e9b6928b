"""The classes of a folder with photographs, from its annotations."""

import functools
import os
import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmamr.structures import VOC_CLASSES
from mmamr.utils import InputError

from .labels import object_names
from .photo_folder.layout import read_layout
from .splits import composed
from .tables import read_label_rows


def folder_metainfo(data_root: str, ann_dir: str = 'Annotations') -> dict[str, tuple] | None:
    """The classes that a folder in VOC's layout says that it shows.

    A folder that was laid out knows them (``classes.json``). Else they are those that its annotations name, or, without
    annotations, the table ``labels.csv``.

    Classes that are all VOC's come in VOC's order, with VOC's values in the masks; others by their names, with 1 to K,
    which annotations cannot tell: masks that number them otherwise need a ``metainfo`` of their own.

    Args:
        data_root (str): The folder.
        ann_dir (str): Its folder of XML annotations. Defaults to 'Annotations'.

    Returns:
        dict, optional: ``classes`` and ``mask_values``, the ``metainfo`` of a data set; None if the folder has none of
        them.

    Raises:
        DatasetError: If an annotation or table is broken.
    """
    root = osp.expanduser(data_root)
    known = read_layout(root)
    if known is not None:
        return known[0].metainfo
    annotations = osp.join(root, ann_dir)
    names = _names_in(annotations) if osp.isdir(annotations) else _names_of_table(osp.join(root, 'labels.csv'))
    if not names:
        return None
    if names <= set(VOC_CLASSES):
        classes = tuple(name for name in VOC_CLASSES if name in names)
        return dict(classes=classes, mask_values=tuple(VOC_CLASSES.index(name) + 1 for name in classes))
    classes = tuple(sorted(names))
    return dict(classes=classes, mask_values=tuple(range(1, len(classes) + 1)))


@functools.lru_cache(maxsize=8)
def _names_in(folder: str) -> frozenset:
    """Names of all objects in the annotations of a folder; read once, VOC 2012 has 17,125 of them."""
    files = sorted(os.listdir(folder))
    paths = [osp.join(folder, name) for name in files if name.endswith('.xml')]
    return frozenset(name for path in paths for name in object_names(path)) - {''}


def _names_of_table(path: str) -> frozenset:
    """Names in a table of labels, if it is there."""
    if not osp.isfile(path):
        return frozenset()
    return frozenset(composed(name) for _, _, names in read_label_rows(path).rows for name in names)


def text_classes(metainfo: Mapping[str, Any]) -> dict[str, Any]:
    """A ``metainfo`` whose classes are texts in composed letters; one class may stand alone.

    Raises:
        InputError: If a class is no text.
    """
    metainfo = dict(metainfo)
    classes = metainfo.get('classes')
    if classes is None:
        return metainfo
    classes = [classes] if isinstance(classes, (str, int, float)) else list(classes)
    for name in classes:
        if not isinstance(name, str):
            raise InputError(f'the class {name!r} is no text; write it in quotes, {str(name)!r}, in metainfo.classes')
    metainfo['classes'] = tuple(composed(name) for name in classes)
    return metainfo
