"""Where image-level labels come from: VOC annotations, masks, a CSV, a table.

A label source is called with an image id and answers with the image's labels, 0 to K - 1, ascending. A source whose
``lazy`` is true opens a large file for each image; :class:`ImageLabelDataset` then asks it when the image is met.
"""

import os.path as osp
import re
import xml.etree.ElementTree as ET
import zipfile
from typing import Any

import numpy as np

from mmamr.fileio import read_mask_labels
from mmamr.registry import TASK_UTILS
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError

from .splits import composed, strip_image_suffix
from .tables import read_label_rows


class LabelSource:
    """Base of the label sources.

    Args:
        path (str): File or folder, relative to ``data_root`` or absolute.
        class_index (ClassIndex): The classes.
        data_root (str): Folder of the data set. Defaults to ''.
    """

    lazy = False

    def __init__(self, path: str, class_index: ClassIndex, data_root: str = '') -> None:
        self.path = osp.join(data_root, path)
        self.class_index = class_index

    def __call__(self, img_id: str) -> list[int]:
        """Labels of an image.

        Raises:
            DatasetError: If the image has no entry, or the entry names a class that is none.
        """
        raise NotImplementedError

    def labels_of_names(self, names: list[str], where: str) -> list[int]:
        """:meth:`ClassIndex.labels_of_names` whose error says where the names were read."""
        try:
            return self.class_index.labels_of_names(map(composed, names))
        except DatasetError as error:
            raise DatasetError(f'{where}: {error}', kind=error.kind) from None

    def missing(self, img_id: str, cure: str) -> DatasetError:
        return DatasetError(f'{self.path}: no labels for {img_id}; {cure}', kind='missing label')


def parse_xml(path: str) -> ET.Element:
    """The root of an XML file in any encoding that Python knows, of which the parser knows few.

    Raises:
        OSError: If there is no such file.
        DatasetError: If it is broken, or in no such encoding.
    """
    with open(path, 'rb') as file:
        data = file.read()
    try:
        declared = re.match(rb'\s*<\?xml[^>]*?encoding\s*=\s*["\']([^"\']+)["\'][^>]*\?>', data)
        if declared is None:
            return ET.fromstring(data)
        return ET.fromstring(data[declared.end() :].decode(declared[1].decode('ascii')))
    except (ET.ParseError, LookupError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise DatasetError(
            f'{path}: broken annotation ({reason}); copy it again, or save it in UTF-8', kind='broken label'
        ) from None


def object_names(path: str, difficult: bool = True) -> list[str]:
    """Class names of the objects in an annotation of VOC, one an object.

    Args:
        path (str): The XML file.
        difficult (bool): Whether objects that are marked as difficult count. Defaults to True.

    Raises:
        OSError: If there is no such file.
        DatasetError: If it is broken.
    """
    return names_of_objects(parse_xml(path), difficult)


def names_of_objects(root: ET.Element, difficult: bool = True) -> list[str]:
    """:func:`object_names` of an annotation that was read."""
    return [
        composed(node.findtext('name', default='').strip())
        for node in root.findall('object')
        if difficult or node.findtext('difficult', default='0').strip() != '1'
    ]


@TASK_UTILS.register_module()
class VOCXMLLabels(LabelSource):
    """Labels from the objects in VOC's ``Annotations/<id>.xml``.

    Args:
        ann_dir (str): Folder of the annotations. Defaults to 'Annotations'.
        difficult (bool): Whether an object marked as difficult counts. The label table of AffinityNet and IRNet, which
            the field trains with, counts it. Defaults to True.
        **kwargs: ``class_index`` and ``data_root`` of :class:`LabelSource`.
    """

    def __init__(self, ann_dir: str = 'Annotations', difficult: bool = True, **kwargs: Any) -> None:
        super().__init__(ann_dir, **kwargs)
        self.difficult = difficult

    def __call__(self, img_id: str) -> list[int]:
        path = osp.join(self.path, f'{img_id}.xml')
        try:
            names = object_names(path, self.difficult)
        except (FileNotFoundError, NotADirectoryError):
            raise DatasetError(
                f'{path}: no such annotation; put it there, drop {img_id} from the list, or take the '
                "labels from masks or a table (labels=dict(type='MaskLabels', ...))",
                kind='missing label',
            ) from None
        return self.labels_of_names(names, path)


@TASK_UTILS.register_module()
class MaskLabels(LabelSource):
    """The classes in the segmentation mask ``<id>.png``.

    Args:
        mask_dir (str): Folder of the masks. Defaults to 'SegmentationClass'.
        **kwargs: ``class_index`` and ``data_root`` of :class:`LabelSource`.
    """

    lazy = True

    def __init__(self, mask_dir: str = 'SegmentationClass', **kwargs: Any) -> None:
        super().__init__(mask_dir, **kwargs)

    def __call__(self, img_id: str) -> list[int]:
        return read_mask_labels(osp.join(self.path, f'{img_id}.png'), self.class_index)


@TASK_UTILS.register_module()
class CSVLabels(LabelSource):
    """Labels from a table with the header ``image,label`` and class names joined by ``;``.

    .. code-block:: none

        image,label
        2007_000032,aeroplane;person
        2007_000039.jpg,tvmonitor

    An empty cell is an image without any of the classes. Other forms are those of
    :func:`~mmamr.datasets.tables.read_label_rows`.

    Args:
        file (str): The table.
        **kwargs: ``class_index`` and ``data_root`` of :class:`LabelSource`.
    """

    def __init__(self, file: str, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        self.rows: dict[str, tuple[int, list[str]]] = {}
        for line, name, labels in read_label_rows(self.path, self.class_index.classes).rows:
            img_id = composed(strip_image_suffix(name))
            if img_id in self.rows:
                raise DatasetError(
                    f'{self.path}, line {line}: {img_id} is already in line '
                    f'{self.rows[img_id][0]}; join the labels of an image by ";" in one line',
                    kind='duplicate id',
                )
            self.rows[img_id] = line, labels

    def __call__(self, img_id: str) -> list[int]:
        row = self.rows.get(composed(img_id))
        if row is None:
            raise self.missing(img_id, 'add a line for it or drop it from the list')
        return self.labels_of_names(row[1], f'{self.path}, line {row[0]}')


@TASK_UTILS.register_module()
class LabelTable(LabelSource):
    """Labels from the ``.npz`` that ``tools/dataset_converters/irnet_labels.py`` makes of IRNet's ``cls_labels.npy``.

    The file has ``ids`` (N names), ``classes`` (C names) and ``labels``, uint8 of shape ``(N, C)``; nothing pickled.

    Args:
        file (str): The table.
        **kwargs: ``class_index`` and ``data_root`` of :class:`LabelSource`.
    """

    def __init__(self, file: str, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        try:
            with np.load(self.path, allow_pickle=False) as table:
                self.classes = [str(name) for name in table['classes']]
                self.labels = table['labels']
                self.rows = {str(img_id): row for row, img_id in enumerate(table['ids'])}
        except FileNotFoundError:
            raise DatasetError(
                f'{self.path}: no such label table; put it there or set labels', kind='missing label'
            ) from None
        except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
            raise DatasetError(
                f"{self.path}: no label table; make one of IRNet's cls_labels.npy with "
                'tools/dataset_converters/irnet_labels.py',
                kind='broken label',
            ) from None
        if self.labels.shape != (len(self.rows), len(self.classes)):
            raise DatasetError(
                f'{self.path}: labels have shape {self.labels.shape}, but there are {len(self.rows)} '
                f'ids and {len(self.classes)} classes; convert the table again',
                kind='broken label',
            )

    def __call__(self, img_id: str) -> list[int]:
        if img_id not in self.rows:
            raise self.missing(img_id, 'drop it from the list or take another label source')
        present = np.flatnonzero(self.labels[self.rows[img_id]])
        return self.labels_of_names([self.classes[column] for column in present], f'{self.path}, {img_id}')
