"""The classes of a folder with photographs, from its annotations."""

import functools
import os
import os.path as osp

from mmamr.structures import VOC_CLASSES

from .labels import object_names


def folder_metainfo(data_root: str, ann_dir: str = 'Annotations') -> dict[str, tuple] | None:
    """The classes that the annotations of a folder in VOC's layout name.

    Classes that are all VOC's come in VOC's order, with VOC's values in the masks; others by their names, with 1 to K,
    which annotations cannot tell: masks that number them otherwise need a ``metainfo`` of their own.

    Args:
        data_root (str): The folder.
        ann_dir (str): Its folder of XML annotations. Defaults to 'Annotations'.

    Returns:
        dict, optional: ``classes`` and ``mask_values``, the ``metainfo`` of a data set; None if the folder has no
        annotations.

    Raises:
        DatasetError: If an annotation is broken.
    """
    names = _names_in(osp.join(osp.expanduser(data_root), ann_dir))
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
    files = sorted(os.listdir(folder)) if osp.isdir(folder) else []
    paths = [osp.join(folder, name) for name in files if name.endswith('.xml')]
    return frozenset(name for path in paths for name in object_names(path)) - {''}
