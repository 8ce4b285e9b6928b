"""The colours of classes in masks that are saved in colours, as CVAT writes them down."""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError

LABELMAP = 'labelmap.txt'
OWN_WORDS = ('palette', 'values')
"""What ``mask_colors`` may be beside colours and a file."""


def class_index_of(metainfo: Mapping[str, Any], data_root: str = '') -> ClassIndex:
    """The class index that the ``metainfo`` of a data set describes, with the colours of its label map.

    Args:
        metainfo (Mapping): Of the data set. ``mask_colors`` may be the name of a label map, relative to ``data_root``.
        data_root (str): Folder of the data set, whose ``labelmap.txt`` is read where ``mask_colors`` is not given and
            the file knows all classes. Defaults to ''.

    Raises:
        DatasetError: If the label map is missing or broken.
        ValueError: If the metainfo is no good, see :class:`ClassIndex`.
    """
    meta = dict(metainfo)
    colors = meta.get('mask_colors')
    if colors is None:
        found = osp.join(data_root, LABELMAP)
        if osp.isfile(found):
            colors = read_labelmap(found)
            classes = [meta['classes']] if isinstance(meta['classes'], str) else meta['classes']
            if not set(classes) <= set(colors):
                colors = None
    elif isinstance(colors, str) and colors not in OWN_WORDS:
        colors = read_labelmap(osp.join(data_root, osp.expanduser(colors)))
    meta['mask_colors'] = colors
    return ClassIndex.from_metainfo(meta)


def read_labelmap(path: str) -> dict[str, list[list[int]]]:
    """RGB colours by name from CVAT's ``labelmap.txt``.

    Its lines are ``name:red,green,blue:parts:actions``; a line that starts with ``#`` is a comment.

    Raises:
        DatasetError: If the file is missing or broken.
    """
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = file.read().splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise DatasetError(f'{path}: no such label map; put it there or set mask_colors', kind='label map') from None
    except UnicodeDecodeError:
        raise DatasetError(f'{path}: no text file; save the label map in UTF-8', kind='label map') from None
    colors: dict[str, list[list[int]]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        # a name may hold colons, what follows it may not
        parts = line.rsplit(':', 3) if line.count(':') >= 3 else line.split(':')
        name, color = parts[0].strip(), [text.strip() for text in (parts + [''])[1].split(',')]
        if not name or len(color) != 3 or not all(text.isdigit() and int(text) <= 255 for text in color):
            raise DatasetError(
                f'{path}, line {number}: a line is name:red,green,blue:parts:actions, e.g. cat:64,0,0::',
                kind='label map',
            )
        colors.setdefault(name, []).append([int(text) for text in color])
    return colors
