"""The files of annotation tools. Each piece of a class is an object; the background is none.

Of the polygons, :func:`~.outlines.polygon_of` says how holes are kept. What is written into a folder takes the place of
the file of the same name; other files stay.
"""

import json
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
    photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float, exact: bool = False
) -> list[str]:
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
    path = osp.join(out_dir, 'coco_rle.json' if exact else 'coco.json')
    _write_json(path, dict(info={}, licenses=[], images=images, annotations=annotations, categories=categories))
    return [path]


def run_lengths(piece: np.ndarray, left: int, top: int, size: tuple[int, int]) -> list[int]:
    """COCO's uncompressed run lengths: column by column, zeros and ones in turn, zeros first."""
    columns, rows = np.nonzero(piece.T)
    places = (columns + left) * size[0] + rows + top
    starts = places[np.diff(places, prepend=-2) > 1]
    ends = places[np.diff(places, append=size[0] * size[1] + 1) > 1] + 1
    borders = np.stack([starts, ends], axis=1).reshape(-1)
    return np.diff(borders, prepend=0, append=size[0] * size[1]).tolist()


def write_coco_rle(photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float) -> list[str]:
    """COCO's instances with exact run lengths."""
    return write_coco(photos, classes, out_dir, tolerance, exact=True)


def write_yolo(photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float) -> list[str]:
    """YOLO's segmentation: ``yolo-seg/labels/<stem>.txt`` a photo, and ``yolo-seg/data.yaml``.

    YOLO looks for the photo of ``labels/a/b.txt`` at ``images/a/b.jpg``.
    """
    folder = osp.join(out_dir, 'yolo-seg')
    files = []
    for photo in photos:
        size = np.array(photo.label.shape[::-1], dtype=np.float64)
        lines = []
        for number, piece, left, top in objects_of(photo, classes):
            places = (_points(piece, left, top, tolerance) / size).reshape(-1)
            lines.append(' '.join([str(number), *(f'{place:.7f}'.rstrip('0').rstrip('.') for place in places)]) + '\n')
        files.append(osp.join(folder, 'labels', f'{photo.stem}.txt'))
        with atomic_write(files[-1], 'w', encoding='utf-8') as file:
            file.writelines(lines)
    names = {number: _text(classes.names[index]) for number, index in enumerate(classes.objects)}
    files.append(osp.join(folder, 'data.yaml'))
    with atomic_write(files[-1], 'w', encoding='utf-8') as file:
        yaml.safe_dump(
            dict(train='images', val='images', nc=len(names), names=names), file, allow_unicode=True, sort_keys=False
        )
    return files


def write_labelme(photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float) -> list[str]:
    """LabelMe: ``labelme/<stem>.json`` a photo, which names the photo where it stands, relative to itself."""
    files = []
    for photo in photos:
        path = osp.join(out_dir, 'labelme', f'{photo.stem}.json')
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
        image = osp.relpath(osp.abspath(photo.path), osp.dirname(osp.abspath(path)))
        _write_json(
            path,
            dict(
                version='5.5.0',
                flags={},
                shapes=shapes,
                imagePath=image.replace(osp.sep, '/'),
                imageData=None,
                imageHeight=height,
                imageWidth=width,
            ),
        )
        files.append(path)
    return files


def write_cvat(photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float) -> list[str]:
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
    path = osp.join(out_dir, 'cvat.xml')
    with atomic_write(path) as file:
        ElementTree.ElementTree(root).write(file, encoding='utf-8', xml_declaration=True)
    return [path]


FORMATS: dict[str, Callable[[Iterable[AnnotatedPhoto], MaskClasses, str, float], list[str]]] = {
    'coco': write_coco,
    'coco-rle': write_coco_rle,
    'yolo-seg': write_yolo,
    'labelme': write_labelme,
    'cvat': write_cvat,
}
"""What writes each format."""


def write_annotations(
    name: str, photos: Iterable[AnnotatedPhoto], classes: MaskClasses, out_dir: str, tolerance: float = 1.0
) -> list[str]:
    """Write the files of an annotation tool.

    Args:
        name (str): One of :data:`FORMATS`.
        photos (Iterable[AnnotatedPhoto]): The photos, in the order of their names; taken one by one.
        classes (MaskClasses): Their classes.
        out_dir (str): Where the files go.
        tolerance (float): Of polygons in pixels; see :func:`~.outlines.polygon_of`. Defaults to 1.

    Returns:
        list[str]: The files.
    """
    return FORMATS[name](photos, classes, out_dir, tolerance)


def _text(text: str) -> str:
    return NOT_XML.sub('\ufffd', text)


def _write_json(path: str, content: Any) -> None:
    with atomic_write(path, 'w', encoding='utf-8') as file:
        json.dump(content, file)
        file.write('\n')
