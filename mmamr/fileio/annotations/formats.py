"""The files of annotation tools. Each piece of a class is an object; the background is none.

Of the polygons, :func:`~.outlines.polygon_of` says how holes are kept. A file that somebody has changed since it was
written stays as it is.
"""

import hashlib
import io
import json
import os
import os.path as osp
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import yaml

from mmamr.structures import MaskClasses
from mmamr.utils import atomic_write

from .outlines import pieces_of, polygon_of, signed_area

NOT_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
"""Characters that no XML file can hold, nor any file in UTF-8."""


@dataclass
class AnnotatedPhoto:
    """A photo and its label map.

    Args:
        name (str): Its path below the folder of photos, with ``/`` and its suffix.
        stem (str): The same as its results are called, without a suffix; no two photos share it.
        path (str): The file.
        label (np.ndarray): uint8 ``(H, W)``: channels of the classes, and 255 where nothing is known.
    """

    name: str
    stem: str
    path: str
    label: np.ndarray


class AnnotationFiles:
    """Writes files of annotation tools into a folder, but over none that a person may have changed.

    A list of what was written, ``.annotations.json``, tells such files from those that are as they were written.

    Args:
        out_dir (str): The folder.
        redo (bool): Write over changed files too. Defaults to False.
    """

    RECORD = '.annotations.json'

    def __init__(self, out_dir: str, redo: bool = False) -> None:
        self.out_dir = out_dir
        self.redo = redo
        self.written: list[str] = []
        self.changed: list[str] = []
        self._record = osp.join(out_dir, self.RECORD)
        self._digests: dict[str, str] = {}
        try:
            with open(self._record, encoding='utf-8') as file:
                known = json.load(file)
            self._digests = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass  # then whatever is there may be somebody's work

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file, by its name below the folder, unless it was changed."""
        path = osp.join(self.out_dir, *name.split('/'))
        content = content.encode() if isinstance(content, str) else content
        digest = hashlib.sha256(content).hexdigest()
        there = None
        if osp.exists(path):
            with open(path, 'rb') as file:
                there = hashlib.sha256(file.read()).hexdigest()
        if there in (None, digest, self._digests.get(name)) or self.redo:
            if there != digest:
                with atomic_write(path) as file:
                    file.write(content)
            self._digests[name] = digest
            self.written.append(path)
        else:
            self.changed.append(path)

    def close(self) -> None:
        """Write the list."""
        os.makedirs(self.out_dir, exist_ok=True)
        with atomic_write(self._record, 'w', encoding='utf-8') as file:
            json.dump(self._digests, file, indent=0)


def objects_of(photo: AnnotatedPhoto, classes: MaskClasses) -> Iterator[tuple[int, np.ndarray, int, int]]:
    """The objects of a photo: number of the class from 0 without the background, pixels, first column, first row."""
    present = set(np.unique(photo.label).tolist())
    for number, index in enumerate(classes.objects):
        if index in present:
            for piece, left, top in pieces_of(photo.label == index):
                yield number, piece, left, top


def _points(piece: np.ndarray, left: int, top: int, tolerance: float) -> np.ndarray:
    return polygon_of(piece, tolerance) + (left, top)


def write_coco(
    photos: Iterable[AnnotatedPhoto],
    classes: MaskClasses,
    files: AnnotationFiles,
    tolerance: float,
    exact: bool = False,
) -> None:
    """COCO's instances in one file: polygons in ``coco.json``, or exact run lengths in ``coco_rle.json``."""
    images: list[dict] = []
    annotations: list[dict] = []
    for photo in photos:
        height, width = photo.label.shape
        images.append(dict(id=len(images) + 1, file_name=photo.name, width=width, height=height))
        for number, piece, left, top in objects_of(photo, classes):
            area: float = int(piece.sum())
            segmentation: Any
            if exact:
                segmentation = dict(size=[height, width], counts=run_lengths(piece, left, top, (height, width)))
            else:
                points = _points(piece, left, top, tolerance)
                area = abs(signed_area(points))
                segmentation = [points.reshape(-1).tolist()]
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=len(images),
                    category_id=number + 1,
                    segmentation=segmentation,
                    area=area,
                    bbox=[left, top, piece.shape[1], piece.shape[0]],
                    iscrowd=0,
                )
            )
    categories = [
        dict(id=number + 1, name=classes.names[index], supercategory='') for number, index in enumerate(classes.objects)
    ]
    content = dict(info={}, licenses=[], images=images, annotations=annotations, categories=categories)
    files.write('coco_rle.json' if exact else 'coco.json', _json(content))


def run_lengths(piece: np.ndarray, left: int, top: int, size: tuple[int, int]) -> list[int]:
    """COCO's uncompressed run lengths: column by column, zeros and ones in turn, zeros first."""
    columns, rows = np.nonzero(piece.T)
    places = (columns + left) * size[0] + rows + top
    starts = places[np.diff(places, prepend=-2) > 1]
    ends = places[np.diff(places, append=size[0] * size[1] + 1) > 1] + 1
    borders = np.stack([starts, ends], axis=1).reshape(-1)
    return np.diff(borders, prepend=0, append=size[0] * size[1]).tolist()


def write_coco_rle(
    photos: Iterable[AnnotatedPhoto], classes: MaskClasses, files: AnnotationFiles, tolerance: float
) -> None:
    """COCO's instances with exact run lengths."""
    write_coco(photos, classes, files, tolerance, exact=True)


def write_yolo(
    photos: Iterable[AnnotatedPhoto], classes: MaskClasses, files: AnnotationFiles, tolerance: float
) -> None:
    """YOLO's segmentation: ``yolo-seg/labels/<stem>.txt`` a photo, and ``yolo-seg/data.yaml``.

    YOLO looks for the photo of ``labels/a/b.txt`` at ``images/a/b.jpg``.
    """
    for photo in photos:
        size = np.array(photo.label.shape[::-1], dtype=np.float64)
        lines = []
        for number, piece, left, top in objects_of(photo, classes):
            places = (_points(piece, left, top, tolerance) / size).reshape(-1)
            lines.append(' '.join([str(number), *(f'{place:.7f}'.rstrip('0').rstrip('.') for place in places)]) + '\n')
        files.write(f'yolo-seg/labels/{photo.stem}.txt', ''.join(lines))
    names = {number: _text(classes.names[index]) for number, index in enumerate(classes.objects)}
    content = dict(train='images', val='images', nc=len(names), names=names)
    files.write('yolo-seg/data.yaml', yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def write_labelme(
    photos: Iterable[AnnotatedPhoto], classes: MaskClasses, files: AnnotationFiles, tolerance: float
) -> None:
    """LabelMe: ``labelme/<stem>.json`` a photo, which names the photo where it stands, relative to itself."""
    for photo in photos:
        name = f'labelme/{photo.stem}.json'
        folder = osp.dirname(osp.abspath(osp.join(files.out_dir, name)))
        height, width = photo.label.shape
        shapes = [
            dict(
                label=classes.names[classes.objects[number]],
                points=_points(piece, left, top, tolerance).tolist(),
                group_id=None,
                description='',
                shape_type='polygon',
                flags={},
                mask=None,
            )
            for number, piece, left, top in objects_of(photo, classes)
        ]
        image = osp.relpath(osp.abspath(photo.path), folder)
        content = dict(
            version='5.5.0',
            flags={},
            shapes=shapes,
            imagePath=image.replace(osp.sep, '/'),
            imageData=None,
            imageHeight=height,
            imageWidth=width,
        )
        files.write(name, _json(content))


def write_cvat(
    photos: Iterable[AnnotatedPhoto], classes: MaskClasses, files: AnnotationFiles, tolerance: float
) -> None:
    """CVAT's XML 1.1 "for images": ``cvat.xml``, whose names are those of the photos in the task."""
    root = ElementTree.Element('annotations')
    ElementTree.SubElement(root, 'version').text = '1.1'
    labels = ElementTree.SubElement(ElementTree.SubElement(ElementTree.SubElement(root, 'meta'), 'task'), 'labels')
    for index in classes.objects:
        label = ElementTree.SubElement(labels, 'label')
        ElementTree.SubElement(label, 'name').text = _text(classes.names[index])
        ElementTree.SubElement(label, 'color').text = '#{:02x}{:02x}{:02x}'.format(*classes.palette[index].tolist())
        ElementTree.SubElement(label, 'attributes')
    for number, photo in enumerate(photos):
        height, width = photo.label.shape
        image = ElementTree.SubElement(
            root, 'image', id=str(number), name=_text(photo.name), width=str(width), height=str(height)
        )
        for kind, piece, left, top in objects_of(photo, classes):
            points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in _points(piece, left, top, tolerance))
            ElementTree.SubElement(
                image,
                'polygon',
                label=_text(classes.names[classes.objects[kind]]),
                source='auto',
                occluded='0',
                points=points,
                z_order='0',
            )
    ElementTree.indent(root)
    file = io.BytesIO()
    ElementTree.ElementTree(root).write(file, encoding='utf-8', xml_declaration=True)
    files.write('cvat.xml', file.getvalue())


FORMATS: dict[str, Callable[[Iterable[AnnotatedPhoto], MaskClasses, AnnotationFiles, float], None]] = {
    'coco': write_coco,
    'coco-rle': write_coco_rle,
    'yolo-seg': write_yolo,
    'labelme': write_labelme,
    'cvat': write_cvat,
}
"""What writes each format."""


def write_annotations(
    name: str,
    photos: Iterable[AnnotatedPhoto],
    classes: MaskClasses,
    out_dir: str,
    tolerance: float = 1.0,
    redo: bool = False,
) -> AnnotationFiles:
    """Write the files of an annotation tool; those that somebody has changed stay.

    Args:
        name (str): One of :data:`FORMATS`.
        photos (Iterable[AnnotatedPhoto]): The photos, in the order of their names; taken one by one.
        classes (MaskClasses): Their classes.
        out_dir (str): Where the files go.
        tolerance (float): Of polygons in pixels; see :func:`~.outlines.polygon_of`. Defaults to 1.
        redo (bool): Write over changed files too. Defaults to False.

    Returns:
        AnnotationFiles: What was ``written``, and what was ``changed`` and stays.
    """
    files = AnnotationFiles(out_dir, redo)
    try:
        FORMATS[name](photos, classes, files, tolerance)
    finally:
        files.close()
    return files


def _text(text: str) -> str:
    return NOT_XML.sub('\ufffd', text)


def _json(content: Any) -> str:
    return json.dumps(content) + '\n'
