"""The formats of tags that are read, one class each; of boxes, polygons and masks only the names of the classes."""

import math
import os.path as osp
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element

import yaml

from mmamr.fileio.annotations import Shape
from mmamr.fileio.images import png_pixels
from mmamr.utils import DatasetError

from ..labels import names_of_objects, parse_xml
from ..tables import is_label_table, read_label_rows
from .division import split_depth
from .folder import PhotoFolder, folders_of, shared_depth, stem_of
from .masks import MaskReader
from .tags import (
    Outlines,
    TagReader,
    Tags,
    base_of,
    first_keys,
    has_keys,
    mapping,
    mappings,
    plain_name,
    read_json,
    read_lines,
    whole,
)

FLOAT = re.compile(r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?')
PLAIN_FOLDERS = {'images', 'image', 'imgs', 'img', 'photos', 'photo', 'pictures', 'jpegimages', 'data', 'raw'}
"""Names of folders that are no classes."""


class CSVReader(TagReader):
    """A table ``image,label``, or one with a column a class, as Roboflow exports it."""

    kind = 'csv'
    about = 'a CSV with the header image,label or with a column a class'

    def find(self, folder: PhotoFolder) -> list[str]:
        return [path for path in self.tables(folder) if self._names_photos(folder, path)]

    @staticmethod
    def tables(folder: PhotoFolder) -> list[str]:
        """Tables that have the header of labels, whatever they name."""
        return [path for path in folder.with_suffix('.csv', '.tsv') if is_label_table(folder.path(path))]

    @staticmethod
    def _names_photos(folder: PhotoFolder, path: str) -> bool:
        """Whether any row names a photo; a broken table is thought to, and will be told of when it is read."""
        try:
            rows = read_label_rows(folder.path(path)).rows
        except DatasetError:
            return True
        return any(folder.names.find(name, base_of(path)) for _, name, _ in rows)

    def accepts(self, path: str) -> bool:
        return path.lower().endswith(('.csv', '.tsv'))

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            table = read_label_rows(tags.folder.path(path), tags.wanted)
            tags.begin(path)
            tags.name_classes(table.classes)
            for line, name, labels in table.rows:
                tags.add(name, labels, base_of(path), f'{path}, line {line}')


class COCOReader(TagReader):
    """COCO's JSON: images, annotations and categories."""

    kind = 'coco'
    about = 'COCO json'

    def find(self, folder: PhotoFolder) -> list[str]:
        found = [path for path in folder.with_suffix('.json') if self.accepts(folder.path(path))]
        instances = [path for path in found if osp.basename(path).startswith('instances')]
        return instances or found

    def accepts(self, path: str) -> bool:
        if not path.lower().endswith('.json'):
            return False
        start = first_keys(path)
        if not start.lstrip().startswith('{') or '"shapes"' in start:
            return False
        return has_keys(path, b'"images"', b'"annotations"', b'"categories"')

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            content = mapping(read_json(tags.folder.path(path)))
            tags.begin(path)
            # ids as texts: some tools write the number of an image as 7 here and as "7" there
            names = {
                str(one.get('id')): str(one.get('name', one.get('id'))) for one in mappings(content.get('categories'))
            }
            tags.name_classes(names.values())
            shown: dict[str, set[str]] = {}
            for one in mappings(content.get('annotations')):
                ids = [str(each.get('category_id')) for each in (one, *mappings(one.get('segments_info')))]
                labels = {names[number] for number in ids if number in names}
                shown.setdefault(str(one.get('image_id')), set()).update(labels)
            for image in mappings(content.get('images')):
                tags.add(self._name(image), shown.get(str(image.get('id')), ()), base_of(path), path)

    @staticmethod
    def _name(image: Mapping) -> str:
        return str(image.get('file_name') or image.get('coco_url') or '')

    def outlines(self, tags: Tags, files: Sequence[str]) -> Outlines:
        """Polygons and run lengths, small ones over large ones; crowds are areas as any other."""
        found: Outlines = {}
        for path in files:
            content = mapping(read_json(tags.folder.path(path)))
            tags.begin(path)
            names = {str(one.get('id')): str(one.get('name', '')) for one in mappings(content.get('categories'))}
            photos: dict[str, str] = {}
            for image in mappings(content.get('images')):
                photo = tags.photos_of(self._name(image), base_of(path))
                if len(photo) == 1:
                    photos[str(image.get('id'))] = photo[0]
                    found.setdefault(photo[0], [])
            for one in mappings(content.get('annotations')):
                name, image_id = names.get(str(one.get('category_id'))), str(one.get('image_id'))
                if name is not None and image_id in photos:
                    add_shape(found, photos[image_id], self._shape(plain_name(name), one.get('segmentation')))
        return {photo: shapes and sorted(shapes, key=Shape.area, reverse=True) for photo, shapes in found.items()}

    @staticmethod
    def _shape(name: str, segmentation: Any) -> Shape | None:
        """The area of an annotation; None of one that has a box alone."""
        if isinstance(segmentation, Mapping):
            counts, size = segmentation.get('counts'), segmentation.get('size')
            if isinstance(counts, (list, str)) and isinstance(size, list) and is_numbers(size, 2):
                shape = Shape(name, runs=counts, box=(0, 0, int(size[1]), int(size[0])))
                with suppress(TypeError, ValueError):  # run lengths that are no numbers
                    shape.area()
                    return shape
        elif isinstance(segmentation, list) and segmentation and all(is_numbers(ring) for ring in segmentation):
            return Shape(name, [ring[: len(ring) // 2 * 2] for ring in segmentation])
        return None


class LabelStudioReader(TagReader):
    """Label Studio's JSON: choices, boxes, polygons and brushes, in full or as JSON-MIN."""

    kind = 'label-studio'
    about = 'Label Studio json'
    IMAGE = re.compile(r'\.(?:jpe?g|png|webp|bmp|tiff?)(?=$|[?&#"])', re.IGNORECASE)

    def find(self, folder: PhotoFolder) -> list[str]:
        return [path for path in folder.with_suffix('.json') if self.accepts(folder.path(path))]

    def accepts(self, path: str) -> bool:
        if not path.lower().endswith('.json') or not first_keys(path, 64).lstrip().startswith('['):
            return False
        return self.IMAGE.search(first_keys(path, 65536)) is not None

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            content = read_json(tags.folder.path(path))
            tags.begin(path)
            for task in mappings(content):
                name = self._image(task)
                results = self._results(task)
                if name and results is not None:
                    tags.add(name, _names_behind(results, ''), base_of(path), f'{path}, task {task.get("id", "?")}')

    @staticmethod
    def _image(task: Mapping) -> str | None:
        """What a task calls its image: the first text of its data that looks like one."""
        data = mapping(task.get('data')) or task
        texts = [value for key, value in data.items() if isinstance(value, str) and key != 'file_upload']
        return next((text for text in texts if LabelStudioReader.IMAGE.search(text)), None)

    @staticmethod
    def _results(task: Mapping) -> Any:
        """The results of the people; None for a task that nobody has done."""
        if 'data' not in task:
            skipped = ('image', 'id', 'annotator', 'annotation_id', 'created_at', 'updated_at', 'lead_time')
            return [
                value for key, value in task.items() if key not in skipped and not isinstance(value, (str, int))
            ] + [
                dict(choices=value)
                for key, value in task.items()
                if key not in skipped and isinstance(value, str) and re.fullmatch(r'choices?|labels?|class|tags?', key)
            ]
        done = mappings(task.get('annotations') or task.get('completions'))
        done = [one for one in done if not one.get('was_cancelled')]
        return [one.get('result') or [] for one in done] if done else None


class LabelMeReader(TagReader):
    """LabelMe's JSON files, one a photo: the labels of the shapes, and the flags that are set."""

    kind = 'labelme'
    about = 'LabelMe json'

    def find(self, folder: PhotoFolder) -> list[str]:
        return [path for path in folder.with_suffix('.json') if self.accepts(folder.path(path))]

    def accepts(self, path: str) -> bool:
        if not path.lower().endswith('.json'):
            return False
        start = first_keys(path)
        if '"shapes"' in start:
            return True
        # flags, imageData or other keys may come before the shapes
        return '"imageData"' in start or ('"imagePath"' in start and start.lstrip().startswith('{'))

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            try:
                content = mapping(read_json(tags.folder.path(path)))
            except DatasetError as error:
                tags.broken.append(str(error))
                continue
            labels = [str(shape.get('label') or '') for shape in mappings(content.get('shapes'))]
            labels += [str(name) for name, is_set in mapping(content.get('flags')).items() if is_set is True]
            labels = [label for label in labels if label != '__ignore__']
            tags.add(self._photo(tags, content, path), labels, base_of(path), path)

    @staticmethod
    def _photo(tags: Tags, content: Mapping, path: str) -> str:
        """What a file calls its photo; the name of the file itself where no photo is called so."""
        name = str(content.get('imagePath') or '')
        return name if tags.folder.names.find(name, base_of(path)) else osp.splitext(osp.basename(path))[0]

    def outlines(self, tags: Tags, files: Sequence[str]) -> Outlines:
        """Polygons, circles and masks, in their order. Points and lines are left out; a rectangle is no outline."""
        found: Outlines = {}
        for path in files:
            try:
                content = mapping(read_json(tags.folder.path(path)))
            except DatasetError as error:
                tags.broken.append(str(error))
                continue
            photos = tags.photos_of(self._photo(tags, content, path), base_of(path))
            if len(photos) != 1:
                continue
            found.setdefault(photos[0], [])
            for one in mappings(content.get('shapes')):
                if one.get('shape_type') not in ('point', 'points', 'line', 'linestrip'):
                    add_shape(found, photos[0], self._shape(one))
        return found

    @staticmethod
    def _shape(one: Mapping) -> Shape | None:
        name, points = plain_name(str(one.get('label') or '')), one.get('points')
        kind = one.get('shape_type', 'polygon')
        if not isinstance(points, list) or not points or not all(is_numbers(point, 2) for point in points):
            return None
        if kind == 'polygon':
            return Shape(name, [points])
        if kind == 'circle' and len(points) == 2:
            radius = math.dist(*points)
            return Shape(name, [ellipse(points[0][0], points[0][1], radius, radius)])
        if kind == 'mask' and isinstance(one.get('mask'), str):
            pixels = png_pixels(one['mask'])
            if pixels is not None:
                left, top = (round(value) for value in points[0])
                return Shape(name, pixels=pixels, box=(left, top, pixels.shape[1], pixels.shape[0]))
        return None


class YOLOReader(TagReader):
    """YOLO's text files, one a photo, with class numbers; ``data.yaml`` or ``classes.txt`` has the names."""

    kind = 'yolo'
    about = 'YOLO txt with data.yaml or classes.txt'
    NAMES = ('classes.txt', 'obj.names', 'labels.txt', 'predefined_classes.txt', 'names.txt')
    LINE = re.compile(r'\d+(?:\s+[-+.\deE]+){4,}')

    def find(self, folder: PhotoFolder) -> list[str]:
        stems = {stem_of(path) for path in folder.photos}
        found = [path for path in folder.with_suffix('.txt') if stem_of(path) in stems]
        found = [path for path in found if osp.basename(path).lower() not in self.NAMES]
        sample = [lines for path in found[:50] if (lines := _lines_or_none(folder.path(path)))]
        return found if sample and all(self.LINE.fullmatch(line) for lines in sample for line in lines[:5]) else []

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        names = self.names(tags.folder)
        tags.name_classes(names[number] for number in sorted(names))
        for path in files:
            numbers = set()
            for line in read_lines(tags.folder.path(path)):
                number = whole(line.split()[0])
                if number is None or not self.LINE.fullmatch(line):
                    tags.broken.append(f'{path}: {line[:40]!r} is no line "class x y w h"')
                else:
                    numbers.add(number)
            missing = sorted(numbers - set(names)) if names else []
            if missing:
                tags.broken.append(f'{path}: class {missing[0]} has no name')
            labels = [names.get(number, str(number)) for number in sorted(numbers)]
            tags.add(self._photo(tags.folder, path), labels, base_of(path), path)

    def outlines(self, tags: Tags, files: Sequence[str]) -> Outlines:
        """Polygons in shares of width and height, in their order; a box is no outline."""
        names, found = self.names(tags.folder), Outlines()
        for path in files:
            photos = tags.photos_of(self._photo(tags.folder, path), base_of(path))
            if len(photos) != 1:
                continue
            found.setdefault(photos[0], [])
            for line in read_lines(tags.folder.path(path)):
                number, *numbers = line.split()
                kind = whole(number)
                if kind is not None and self.LINE.fullmatch(line):
                    ring = [float(one) for one in numbers if FLOAT.fullmatch(one)]
                    fits = len(ring) == len(numbers) >= 6 and len(ring) % 2 == 0
                    label = plain_name(names.get(kind, number))
                    add_shape(found, photos[0], Shape(label, [ring], relative=True) if fits else None)
        return found

    @staticmethod
    def _photo(folder: PhotoFolder, path: str) -> str:
        """The photo of a text file: beside it, or in ``images`` where it lies in ``labels``."""
        stem = path[: -len('.txt')]
        parts = stem.split('/')
        swapped = ['images' if part.lower() == 'labels' else part for part in parts]
        here = folder.names.find('/'.join(swapped))
        return here[0] if len(here) == 1 else parts[-1]

    def names(self, folder: PhotoFolder) -> dict[int, str]:
        """The names of the classes by their numbers; empty if no file has them."""
        for path in folder.with_suffix('.yaml', '.yml'):
            try:
                with open(folder.path(path), encoding='utf-8-sig') as file:
                    names = mapping(yaml.safe_load(file)).get('names')
            except (OSError, ValueError, yaml.YAMLError):
                continue
            if isinstance(names, list):
                return {number: str(name) for number, name in enumerate(names)}
            if isinstance(names, dict):
                return {number: str(name) for key, name in names.items() if (number := whole(key)) is not None}
        for wanted in self.NAMES:
            for path in folder.files:
                if osp.basename(path).lower() == wanted:
                    return dict(enumerate(read_lines(folder.path(path))))
        return {}


class CVATReader(TagReader):
    """CVAT's XML "for images", one for many photos: the labels of shapes and tags."""

    kind = 'cvat'
    about = 'CVAT xml for images'

    def find(self, folder: PhotoFolder) -> list[str]:
        return [path for path in folder.with_suffix('.xml') if self.accepts(folder.path(path))]

    def accepts(self, path: str) -> bool:
        return path.lower().endswith('.xml') and '<annotations' in first_keys(path, 1024)

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            root = parse_xml(tags.folder.path(path))
            tags.begin(path)
            tags.name_classes(label.findtext('name', '') for label in root.iter('label'))
            for image in root.iter('image'):
                labels = [shape.get('label', '') for shape in image]
                tags.add(image.get('name', ''), labels, base_of(path), path)

    def outlines(self, tags: Tags, files: Sequence[str]) -> Outlines:
        """Polygons, ellipses and masks, by their ``z_order``. Points and lines are left out; a box is no outline."""
        found: Outlines = {}
        for path in files:
            root = parse_xml(tags.folder.path(path))
            tags.begin(path)
            for image in root.iter('image'):
                photos = tags.photos_of(image.get('name', ''), base_of(path))
                if len(photos) != 1:
                    continue
                found.setdefault(photos[0], [])
                shapes = [shape for shape in image if shape.tag not in ('tag', 'points', 'polyline', 'skeleton')]
                for shape in sorted(shapes, key=lambda shape: whole(shape.get('z_order')) or 0):
                    add_shape(found, photos[0], self._shape(shape))
        return found

    @staticmethod
    def _shape(shape: Element) -> Shape | None:
        name = plain_name(shape.get('label', ''))
        if shape.tag == 'polygon':
            points = [[float(one) for one in FLOAT.findall(point)] for point in shape.get('points', '').split(';')]
            return Shape(name, [points]) if all(len(point) == 2 for point in points) else None
        try:
            if shape.tag == 'ellipse':
                x, y, width, height = (float(shape.get(key, '')) for key in ('cx', 'cy', 'rx', 'ry'))
                return Shape(name, [ellipse(x, y, width, height)])
            if shape.tag == 'mask':
                left, top, width, height = (int(shape.get(key, '')) for key in ('left', 'top', 'width', 'height'))
                runs = [int(one) for one in shape.get('rle', '').split(',')]
                return Shape(name, runs=runs, by_columns=False, box=(left, top, width, height))
        except ValueError:
            pass
        return None


class VOCReader(TagReader):
    """VOC's XML files, one a photo."""

    kind = 'voc'
    about = 'VOC xml'
    ONE = re.compile(r'<annotation\b')

    def find(self, folder: PhotoFolder) -> list[str]:
        stems = {stem_of(path) for path in folder.photos}
        found = [path for path in folder.with_suffix('.xml') if stem_of(path) in stems]
        return found or [
            path for path in folder.with_suffix('.xml') if self.ONE.search(first_keys(folder.path(path), 1024))
        ]

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path in files:
            try:
                root = parse_xml(tags.folder.path(path))
            except (DatasetError, OSError) as error:
                tags.broken.append(str(error))
                continue
            name = osp.splitext(osp.basename(path))[0]
            if not tags.folder.names.find(name, base_of(path)):
                name = (root.findtext('filename') or name).strip()
            tags.add(name, names_of_objects(root), base_of(path), path)


class FolderReader(TagReader):
    """A folder a class, perhaps below ``train`` and ``val``."""

    kind = 'folders'
    about = 'a folder a class'

    def find(self, folder: PhotoFolder) -> list[str]:
        classes = {name for _, name in self._pairs(folder)}
        return sorted(classes) if len(classes) > 1 else []

    def read(self, tags: Tags, files: Sequence[str]) -> None:
        for path, name in self._pairs(tags.folder):
            tags.labels.setdefault(path, set()).add(name)

    @staticmethod
    def _pairs(folder: PhotoFolder) -> Iterator[tuple[str, str]]:
        """Each photo that lies in the folder of a class, with the class."""
        depth = split_depth(folder.photos)
        parts = [folders_of(path) for path in folder.photos]
        if depth is not None:
            parts = [one[:depth] + one[depth + 1 :] for one in parts]
        shared = shared_depth(parts) if parts else 0
        for path, one in zip(folder.photos, parts):
            named = [part for part in one[shared:] if part.lower() not in PLAIN_FOLDERS]
            if named:
                yield path, named[0]


READERS: tuple[TagReader, ...] = (
    CSVReader(),
    COCOReader(),
    LabelStudioReader(),
    LabelMeReader(),
    YOLOReader(),
    CVATReader(),
    VOCReader(),
    MaskReader(),
    FolderReader(),
)
"""All formats, in the order in which they are looked for."""
KINDS = tuple(reader.kind for reader in READERS)


def add_shape(found: Outlines, photo: str, shape: Shape | None) -> None:
    """Add an area of a photo; with what is none the outlines of the photo are not complete."""
    shapes = found.get(photo)
    found[photo] = None if shape is None or shapes is None else [*shapes, shape]


def is_numbers(value: Any, count: int | None = None) -> bool:
    """Whether a value of JSON is a list of numbers, so many of them if that is said."""
    return (
        isinstance(value, list)
        and (len(value) == count if count is not None else len(value) >= 6)
        and all(isinstance(one, (int, float)) and math.isfinite(one) for one in value)
    )


def ellipse(x: float, y: float, width: float, height: float, corners: int = 72) -> list[tuple[float, float]]:
    """A polygon about a point, with these half axes."""
    turns = [2 * math.pi * corner / corners for corner in range(corners)]
    return [(x + width * math.cos(turn), y + height * math.sin(turn)) for turn in turns]


def _names_behind(value: Any, key: str) -> Iterator[str]:
    """The texts in the result of Label Studio that are behind a key for labels."""
    if isinstance(value, str):
        if key in ('choices', 'choice', 'taxonomy', 'labels', 'label') or key.endswith('labels'):
            yield value
    elif isinstance(value, list):
        for one in value:
            yield from _names_behind(one, key)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in ('from_name', 'to_name', 'original_width', 'original_height', 'id', 'type', 'meta'):
                yield from _names_behind(one, name)


def _lines_or_none(path: str) -> list[str] | None:
    try:
        return read_lines(path)
    except DatasetError:
        return None
