"""Bad and odd inputs in one table: what each is read as, or the one line that names it and says what to do."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import hostile
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmamr.apis.inputs import list_photos, read_photo
from mmamr.datasets import CSVLabels, ImageLabelDataset, LabelTable, VOCXMLLabels, class_index_of, folder_metainfo
from mmamr.datasets.folder_classes import text_classes
from mmamr.datasets.photo_folder import Tags, lay_out, scan
from mmamr.datasets.splits import FolderNames, find_name, image_suffixes, read_ids
from mmamr.fileio import CAMFolder, read_image, read_mask
from mmamr.fileio.annotations import draw_shapes
from mmamr.models.utils import load_weights
from mmamr.structures import ClassIndex
from mmamr.utils import merge_options
from mmamr.utils.options import parse_value

SEEN = np.array([[10, 60, 110], [160, 210, 250]], dtype=np.uint8)
"""A grey photo as people see it."""
PIXELS = np.array([[0, 1, 2], [2, 255, 0]], dtype=np.uint8)
"""A mask of a cat (1), a dog (2) and a pixel that does not count."""
COLOURS = np.array([(0, 0, 0), (250, 50, 83), (51, 221, 255)], dtype=np.uint8)
"""Of background, cat and dog, as CVAT draws them."""
CAT_AND_DOG = ('cat', 'dog')


class Line(str):
    """A regular expression for the one line that an input ends with."""


class Row(NamedTuple):
    """An odd input, how it is made in a folder, what reads it, and what is right."""

    name: str
    make: Callable[[Path], Any]
    read: Callable[[Any], Any]
    right: Any


def file(name: str, content: bytes | str) -> Callable[[Path], str]:
    """Writes a file; returns its path."""

    def make(root: Path) -> str:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


def picture(name: str, pixels: Any, mode: str | None = None, orientation: int | None = None, **kwargs: Any) -> Callable:
    """Saves an image; returns its path."""

    def make(root: Path) -> str:
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
        image = image.convert(mode) if mode else image
        options = dict(kwargs)
        if orientation is not None:
            exif = Image.Exif()
            exif[0x0112] = orientation
            options.update(tiffinfo={0x0112: orientation}) if name.endswith('tif') else options.update(exif=exif)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)
        return str(path)

    return make


def deep(name: str, pixels: np.ndarray) -> Callable[[Path], str]:
    """Saves colours of 16 bits."""
    return lambda root: [cv2.imwrite(str(root / name), pixels), str(root / name)][1]


def part(make: Callable[[Path], str], share: float) -> Callable[[Path], str]:
    """The beginning of a file."""

    def cut(root: Path) -> str:
        path = Path(make(root))
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return str(path)

    return cut


def special(name: str, how: Callable[[Path], Any]) -> Callable[[Path], str]:
    """What is no regular file."""
    return lambda root: [how(root / name), str(root / name)][1]


def bmp_header(width: int, height: int) -> bytes:
    """The beginning of a bitmap of any size."""
    numbers = (0, 0, 54, 40, width, height, 1 | 24 << 16, 0, 0, 0, 0, 0, 0)
    return b'BM' + b''.join(number.to_bytes(4, 'little') for number in numbers)


# ---- photos


def grey(path: str) -> list:
    """A photo in grey, as it is read."""
    image = read_image(path)
    assert image.dtype == np.uint8 and (image == image[..., :1]).all()
    return image[..., 0].tolist()


def colour(path: str) -> list:
    """The colour of the first pixel in steps of 32, which JPEG keeps."""
    return [round(int(value) / 32) for value in read_image(path)[0, 0, ::-1]]


def one_row(photo: Any) -> list:
    """The first row of what is no file."""
    return read_photo(photo)[0, :, 0].tolist()


GREY = np.repeat(SEEN[..., None], 3, axis=2)
ORANGE = np.full((8, 8, 3), (255, 128, 0), dtype=np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
BROKEN = r'photo\.\w+: truncated or broken image \(.+\); copy or download it again$'
UNKNOWN = r'photo\.\w+: truncated or broken image \(no known image format\); copy or download it again$'
IRREGULAR = r'photo\.\w+: truncated or broken image \(no regular file\); copy or download it again$'
LARGE = r'photo\.\w+: \d+x\d+ are \d+ million pixels, more than the 100 .*; make it smaller, or set MMAMR_MAX_PIXELS$'
STORED = {6: [[110, 250], [60, 210], [10, 160]], 3: SEEN[::-1, ::-1], 8: [[160, 10], [210, 60], [250, 110]]}
PHOTOS = [
    ('EXIF 6', picture('photo.png', np.uint8(STORED[6]), orientation=6), grey, SEEN.tolist()),
    ('EXIF 3 of a WebP', picture('photo.webp', GREY[::-1, ::-1], orientation=3, lossless=True), grey, SEEN.tolist()),
    ('EXIF 8 of a TIFF', picture('photo.tif', np.uint8(STORED[8]), orientation=8), grey, SEEN.tolist()),
    ('EXIF 9, which there is not', picture('photo.png', SEEN, orientation=9), grey, SEEN.tolist()),
    ('EXIF that is garbage', picture('photo.png', SEEN, exif=b'Exif\0\0garbage garbage'), grey, SEEN.tolist()),
    ('16 bits', picture('photo.png', SEEN.astype(np.uint16) * 257), grey, SEEN.tolist()),
    ('12 bits in 16', picture('photo.png', np.uint16([[0, 2048, 4095]])), grey, [[0, 128, 255]]),
    ('12 bits in 16, TIFF', picture('photo.tif', np.uint16([[0, 2048, 4095]])), grey, [[0, 128, 255]]),
    ('12 bits in 16, colours', deep('photo.png', np.uint16([[[0, 2048, 4095]]])), colour, [8, 4, 0]),
    ('16 bits in 16, with alpha', deep('photo.png', np.uint16([[[0, 32768, 65535, 9]]])), colour, [8, 4, 0]),
    ('RGBA', picture('photo.png', ORANGE, 'RGBA'), colour, [8, 4, 0]),
    ('CMYK', picture('photo.jpg', ORANGE, 'CMYK'), colour, [8, 4, 0]),
    ('grey JPEG', picture('photo.jpg', np.full((8, 8), 128, np.uint8)), colour, [4, 4, 4]),
    ('grey with alpha', picture('photo.png', SEEN, 'LA'), grey, SEEN.tolist()),
    ('1 bit', picture('photo.png', SEEN > 128), grey, [[0, 0, 0], [255, 255, 255]]),
    ('palette', picture('photo.png', Image.fromarray(ORANGE).quantize(4)), colour, [8, 4, 0]),
    ('clear palette', picture('photo.png', Image.fromarray(ORANGE).quantize(4), transparency=0), colour, [8, 4, 0]),
    ('float TIFF in [0, 1]', picture('photo.tif', np.float32([[0, 0.5, 1]])), grey, [[0, 128, 255]]),
    ('float TIFF in kelvin', picture('photo.tif', np.float32([[280, 290, 300]])), grey, [[0, 128, 255]]),
    ('float TIFF with NaN', picture('photo.tif', np.float32([[np.nan, 0.5, np.inf]])), grey, [[0, 128, 255]]),
    ('int32 below zero', picture('photo.tif', np.int32([[-100, 0, 100]])), grey, [[0, 128, 255]]),
    (
        'animation',
        picture('photo.gif', Image.fromarray(SEEN), save_all=True, append_images=[Image.new('L', (3, 2))]),
        grey,
        SEEN.tolist(),
    ),
    ('one pixel', picture('photo.bmp', SEEN[:1, :1]), grey, [[10]]),
    (
        'PNG called .Jpg',
        lambda root: os.rename(picture('photo.png', SEEN)(root), root / 'photo.Jpg') or str(root / 'photo.Jpg'),
        grey,
        SEEN.tolist(),
    ),
    ('cut JPEG', part(picture('photo.jpg', NOISE), 0.6), grey, Line(BROKEN)),
    ('cut PNG', part(picture('photo.png', NOISE), 0.6), grey, Line(BROKEN)),
    ('cut TIFF', part(picture('photo.tif', NOISE), 0.6), grey, Line(BROKEN)),
    ('header alone', file('photo.png', b'\x89PNG\r\n\x1a\n'), grey, Line(BROKEN)),
    ('no byte', file('photo.jpg', b''), grey, Line(UNKNOWN)),
    ('HTML', file('photo.jpg', hostile.HTML), grey, Line(UNKNOWN)),
    ('EPS, which starts a program', file('photo.jpg', hostile.EPS), grey, Line(UNKNOWN)),
    ('SVG', file('photo.png', b'<svg xmlns="http://www.w3.org/2000/svg"/>'), grey, Line(UNKNOWN)),
    ('icon', file('photo.png', hostile.image(kind='ICO', size=(16, 16))), grey, Line(UNKNOWN)),
    ('PDF', file('photo.png', hostile.image(kind='PDF')), grey, Line(UNKNOWN)),
    ('pipe', special('photo.jpg', os.mkfifo), grey, Line(IRREGULAR)),
    ('folder', special('photo.jpg', Path.mkdir), grey, Line(IRREGULAR)),
    ('device', special('photo.jpg', lambda path: path.symlink_to('/dev/zero')), grey, Line(IRREGULAR)),
    ('link to itself', special('photo.jpg', lambda path: path.symlink_to(path)), grey, Line(BROKEN)),
    (
        'link to nothing',
        special('photo.jpg', lambda path: path.symlink_to('gone')),
        grey,
        Line(r'photo\.jpg: no such image; put it there or drop it from its list$'),
    ),
    ('200 million pixels', picture('photo.png', Image.new('1', (20_000, 10_000))), grey, Line(LARGE)),
    ('a header of 3600 million pixels', file('photo.bmp', bmp_header(60_000, 60_000)), grey, Line(LARGE)),
    ('no numbers in an array', lambda root: np.zeros((2, 2, 3)), read_photo, Line(r'must be uint8 .*got float64')),
    ('12 bits in 16, PIL', lambda root: Image.fromarray(np.uint16([[0, 2048, 4095]])), one_row, [0, 128, 255]),
    ('float of PIL', lambda root: Image.fromarray(np.float32([[0, 0.5, 1]])), one_row, [0, 128, 255]),
    ('tensor of two channels', lambda root: torch.zeros(2, 4, 5), read_photo, Line(r'must be an RGB image of shape')),
    ('normalised tensor', lambda root: torch.full((3, 2, 2), -2.0), read_photo, Line(r'must lie in \[0, 1\]')),
    ('folder without a photo', str, list_photos, Line(r': no photo in it \(\.jpg.*\); name another folder$')),
]

# ---- names of photos, from the folder to the data set


def labels_of_one(root: str) -> list[str]:
    """The classes of the one photo in a folder, by the data set that it is laid out as."""
    out = f'{root} out'
    found = lay_out(root, out)
    dataset = ImageLabelDataset(
        out, metainfo=folder_metainfo(out), labels=dict(type='CSVLabels', file='labels.csv'), serialize_data=False
    )
    (item,) = (dataset[index] for index in range(len(dataset)))
    assert grey(item['img_path']) == SEEN.tolist() and '\n' not in item['img_id']
    return [found.classes[label] for label in item['gt_label']]


def named(name: str, tagged: str | None = None, label: str = 'cat') -> Callable[[Path], str]:
    """A folder with one photo and a table that names it."""

    def make(root: Path) -> str:
        picture(f'photos/{name}', SEEN)(root)
        with open(root / 'photos' / 'tags.csv', 'w', newline='', encoding='utf-8') as table:
            csv.writer(table).writerows([('image', 'label'), (tagged or name, label)])
        return str(root / 'photos')

    return make


def damaged(name: str, content: str) -> Callable[[Path], str]:
    """A folder that was laid out, but whose layout has lost a file of its own."""

    def make(root: Path) -> str:
        source = named('a.png')(root)
        lay_out(source, f'{source} out')
        os.utime(file('photos/new.txt', '')(root))
        file(f'photos out/{name}', content)(root)
        return source

    return make


NAMES = [
    ('blanks', named('IMG 1  2.png'), labels_of_one, ['cat']),
    ('a comma', named('a, b.png'), labels_of_one, ['cat']),
    ('quotes', named('"a" \'b\'.png'), labels_of_one, ['cat']),
    ('composed letters', named('K\u00e4se.png', 'Ka\u0308se.png'), labels_of_one, ['cat']),
    ('letters that are not', named('Ka\u0308se.png', 'K\u00e4se.png'), labels_of_one, ['cat']),
    ('digits', named('007.png'), labels_of_one, ['cat']),
    ('a minus', named('-1.png'), labels_of_one, ['cat']),
    ('a tilde', named('~.png'), labels_of_one, ['cat']),
    ('a line end', named('a\nb.png'), labels_of_one, ['cat']),
    ('a per cent', named('100%25.png'), labels_of_one, ['cat']),
    ('a suffix inside', named('a.jpg.png'), labels_of_one, ['cat']),
    ('a colon', named('C:a.png'), labels_of_one, ['cat']),
    ('a backslash', named('a\\b.png'), labels_of_one, ['cat']),
    ('a pattern', named('[a]*?.png'), labels_of_one, ['cat']),
    ('200 letters', named('a' * 200 + '.png'), labels_of_one, ['cat']),
    ('bytes that are no text', named(os.fsdecode(b'a\xff.png'), 'a_.png'), labels_of_one, Line(r'no tags of them')),
    ('a path of Windows', named('a.png', 'C:\\photos\\a.PNG'), labels_of_one, ['cat']),
    ('a URL', named('a b.png', 'https://host/x/a%20b.png?size=3'), labels_of_one, ['cat']),
    (
        'in a layout that is cut',
        damaged('classes.json', '{"classes": ["cat'),
        labels_of_one,
        Line(r'classes\.json: broken \(.+\); remove it and lay the photos out again$'),
    ),
    (
        'in a layout of numbers',
        damaged('classes.json', '{"classes": 7}'),
        labels_of_one,
        Line(r'classes\.json: broken'),
    ),
    ('in a layout without a list', damaged('photos.csv', ''), labels_of_one, ['cat']),
    (
        'in a layout with a large field',
        damaged('photos.csv', f'id,photo,split\na,{"a" * 200_000},val'),
        labels_of_one,
        Line(r'photos\.csv: broken \(.+\); remove it, which gives all photos new ids$'),
    ),
    ('of another photo', named('a.png', '../../b.png'), labels_of_one, Line(r'tags\.csv has names, but of no photo')),
]


def ids_of(path: str) -> list[str]:
    """The ids of a list, in a folder that has ``IMG 1.Jpg``."""
    names = FolderNames(['IMG 1.Jpg', 'a.png'])
    return read_ids(path, lambda img_id: find_name(img_id, image_suffixes('auto'), names) is not None)


LISTS = [
    ('a list with a blank', file('list.txt', 'IMG 1\n'), ids_of, ['IMG 1']),
    ('a list with labels', file('list.txt', 'IMG 1  0\na.png -1\n'), ids_of, ['IMG 1']),
    ('a list of Windows', file('list.txt', '\ufeffa\r\n\r\nIMG 1.Jpg\r\n'), ids_of, ['a', 'IMG 1']),
    ('a list of paths', file('list.txt', '/JPEGImages/a.jpg /SegmentationClassAug/a.png'), ids_of, ['a']),
    ('a list without an id', file('list.txt', ' \n\n'), ids_of, Line(r'list\.txt: empty list; write one image id')),
    (
        'a list that leaves',
        file('list.txt', 'a\n../b\n'),
        ids_of,
        Line(r"list\.txt, line 2: the id '\.\./b' is a path"),
    ),
    ('an id twice', file('list.txt', 'a\nb\n\na\n'), ids_of, Line(r'list\.txt, line 4: the id a is already in line 1')),
    ('a photo as a list', file('list.txt', b'\xff\xd8\xff\xe0'), ids_of, Line(r'list\.txt: no text file; a list has')),
    ('all marked by -1', file('list.txt', 'a -1\n'), ids_of, Line(r'list\.txt: every image is marked by -1; name')),
    ('a folder as a list', special('list.txt', Path.mkdir), ids_of, Line(r'list\.txt: no such list of images; ')),
    ('a list that is not there', lambda root: str(root / 'gone' / 'list.txt'), ids_of, Line(r'gone, set data_root$')),
]

# ---- tags


def tags_of(root: str) -> dict[str, list[str]]:
    """The tags of the photos in a folder."""
    found = scan(root)
    assert all('\n' not in note for note in found.notes)
    return {os.path.splitext(name)[0]: sorted(names) for name, names in found.labels.items()}


def wanted(*classes: str) -> Callable[[str], dict]:
    """Tags of some classes only; of all where none is named."""

    def read(root: str) -> dict:
        found = scan(root, classes=classes)
        return dict(classes=found.classes, a=found.labels['a.jpg'], notes=found.notes)

    return read


def tagged(**files: Any) -> Callable[[Path], str]:
    """A folder with the photos a and b, and files of tags; ``_`` is a dot, and what is no text is JSON."""

    def make(root: Path) -> str:
        for name in 'ab':
            picture(f'{name}.jpg', SEEN)(root)
        for name, content in files.items():
            text = content if isinstance(content, (str, bytes)) else json.dumps(content)
            file(name.replace('__', '/').replace('_', '.'), text)(root)
        return str(root)

    return make


def outlines_of(root: str) -> dict[str, list | None]:
    """The masks that the outlines of tags are drawn as; those of no photo are empty."""
    found = scan(root)
    drawn = found.reader.outlines(Tags(found.folder), found.files)
    return {
        os.path.splitext(name)[0]: shapes and draw_shapes(shapes, (2, 3), dict(cat=1)).tolist()
        for name, shapes in drawn.items()
    }


def coco(**change: Any) -> Callable[[Path], str]:
    """COCO's json of the two photos, with something else in it."""
    content = dict(
        images=[dict(id=1, file_name='a.jpg'), dict(id=2, file_name='b.jpg')],
        annotations=[dict(image_id=1, category_id=1)],
        categories=[dict(id=1, name='cat')],
    )
    return tagged(tags_json={**content, **change})


def studio(*results: Any, **change: Any) -> Callable[[Path], str]:
    """Label Studio's json of a photo."""
    return tagged(tags_json=[{'data': {'image': '/x/a.jpg'}, 'annotations': [{'result': list(results)}], **change}])


def labelme(**change: Any) -> Callable[[Path], str]:
    return tagged(a_json={'shapes': [{'label': 'cat'}], 'flags': {}, 'imagePath': 'a.jpg', **change})


def masked(mask: Any, **files: str) -> Callable[[Path], str]:
    """A photo with a mask."""
    return lambda root: [tagged(**files)(root), picture('masks/a.png', mask)(root)][0]


OTHERS = '1 photos have none of the classes; they are kept, as photos of something else'
CAT, NOTHING = {'a': ['cat']}, {'a': ['cat'], 'b': []}
NO_LABEL = r': none of its 2 photos has a label from .*'
XML = '<annotation><object><name>cat</name></object></annotation>'
TAGS = [
    ('CSV', tagged(tags_csv='image,label\na.jpg,cat\nb,\n'), tags_of, NOTHING),
    ('CSV of Excel', tagged(tags_csv='\ufeffBild;Label\r\na;cat\r\n'.replace('Bild', 'File Name')), tags_of, CAT),
    ('CSV in UTF-16', tagged(tags_tsv='image\tlabels\na\tcat, dog\n'.encode('utf-16')), tags_of, {'a': ['cat', 'dog']}),
    ('CSV without a header', tagged(tags_csv='a.jpg,cat\nb.jpg,dog\n'), tags_of, {'a': ['cat'], 'b': ['dog']}),
    ('a column a class', tagged(tags_csv='filename, cat, dog\na.jpg, 1, 0\nb.jpg, 0, 0\n'), tags_of, NOTHING),
    ('a row an object', tagged(tags_csv='filename,class,x\na.jpg,cat,1\na.jpg,cat,2\n'), tags_of, CAT),
    ('a list in a cell', tagged(tags_csv="image,label\na,\"['cat', 'dog']\"\n"), tags_of, {'a': ['cat', 'dog']}),
    (
        'CSV in Latin-1',
        tagged(tags_csv='image,label\na,Käse\n'.encode('latin-1')),
        tags_of,
        Line(r'tags\.csv: broken table \(.*\); save it as CSV in UTF-8$'),
    ),
    (
        'a cell too many',
        tagged(tags_csv='image,label\na,cat,dog\n'),
        tags_of,
        Line(r'tags\.csv, line 2: 3 cells, but the header has 2; labels of one image are joined by ";"'),
    ),
    (
        'a cell too few',
        tagged(tags_csv='image,label\na\n'),
        tags_of,
        Line(r'tags\.csv, line 2: 1 cells, but the header'),
    ),
    (
        'a header twice',
        tagged(tags_csv='image,label,label\na,cat,\n'),
        tags_of,
        Line(r"tags\.csv: the header has 'label' twice; rename one$"),
    ),
    (
        'open quotes',
        tagged(tags_csv='image,label\na,"cat\n'),
        tags_of,
        Line(r'broken table \(unexpected end of data\)'),
    ),
    ('no label', tagged(tags_csv='image,label\na,\n'), tags_of, Line(NO_LABEL + 'name another file')),
    ('COCO', coco(), tags_of, NOTHING),
    ('COCO with texts for numbers', coco(annotations=[dict(image_id='1', category_id='1')]), tags_of, NOTHING),
    (
        'COCO, a name of two categories',
        coco(categories=[dict(id=1, name='cat'), dict(id=2, name=' cat ')]),
        wanted(),
        dict(classes=('cat',), a=('cat',), notes=[OTHERS]),
    ),
    (
        'COCO, a name of two lines',
        coco(categories=[dict(id=1, name='big\r\n cat')]),
        tags_of,
        {'a': ['big cat'], 'b': []},
    ),
    ('COCO with a category of nobody', coco(annotations=[dict(image_id=1, category_id=9)]), tags_of, Line(NO_LABEL)),
    ('COCO without annotations', coco(annotations=None), tags_of, Line(NO_LABEL)),
    ('COCO with numbers for lists', coco(images=7, annotations=7, categories=7), tags_of, Line(NO_LABEL)),
    ('COCO with lists for numbers', coco(annotations=[dict(image_id=[1], category_id=[1])]), tags_of, Line(NO_LABEL)),
    ('COCO with a list as an id', coco(images=[dict(id=[1], file_name='a.jpg')]), tags_of, Line(NO_LABEL)),
    (
        'COCO that is cut',
        tagged(tags_json='{"images": [], "annotations": [], "categories": ['),
        tags_of,
        Line(r'tags\.json: broken JSON \(.*\); export it again$'),
    ),
    ('Label Studio', studio({'value': {'choices': ['cat']}}), tags_of, CAT),
    ('Label Studio, boxes', studio({'value': {'x': 1, 'rectanglelabels': ['cat']}}), tags_of, CAT),
    ('Label Studio, skipped', studio(annotations=[{'was_cancelled': True, 'result': []}]), tags_of, Line(NO_LABEL)),
    ('Label Studio, numbers', studio(7, None, annotations=[{'result': 7}]), tags_of, Line(NO_LABEL)),
    ('Label Studio that is cut', tagged(tags_json='[{"data": {"image": "a.jpg"}'), tags_of, Line(r'broken JSON')),
    ('LabelMe', labelme(), tags_of, CAT),
    ('LabelMe, a flag', labelme(shapes=[], flags={'cat': True, 'dog': False}), tags_of, CAT),
    ('LabelMe without a path', labelme(imagePath=None), tags_of, CAT),
    ('LabelMe with a number of shapes', labelme(shapes=7), tags_of, Line(NO_LABEL)),
    (
        'LabelMe that is cut',
        tagged(a_json='{"shapes": [{"label"'),
        tags_of,
        Line(NO_LABEL + r'1 problems: .*a\.json: broken JSON'),
    ),
    ('YOLO', tagged(a_txt='1 .5 .5 .1 .1\n', classes_txt='dog\ncat\n'), tags_of, CAT),
    ('YOLO without names', tagged(a_txt='1 .5 .5 .1 .1\n'), tags_of, {'a': ['1']}),
    (
        'YOLO, a class without a name',
        tagged(a_txt='9 .5 .5 .1 .1\n', data_yaml='names: {1: cat}\n'),
        tags_of,
        {'a': ['9']},
    ),
    (
        'YOLO, a broken data.yaml',
        tagged(a_txt='1 .5 .5 .1 .1\n', data_yaml='names: [cat', classes_txt='dog\ncat'),
        tags_of,
        CAT,
    ),
    ('YOLO, words', tagged(a_txt='cat .5 .5 .1 .1\n'), tags_of, Line(r'2 photos, but no tags of them; put one of')),
    ('VOC', tagged(a_xml=XML), tags_of, CAT),
    ('VOC in GB2312', tagged(a_xml=f'<?xml version="1.0" encoding="gb2312"?>{XML}'.encode('gb2312')), tags_of, CAT),
    (
        'VOC in Klingon',
        tagged(a_xml=f'<?xml version="1.0" encoding="klingon"?>{XML}'),
        tags_of,
        Line(NO_LABEL + r'1 problems: .*a\.xml: broken annotation \(unknown encoding: klingon\); copy it again'),
    ),
    ('VOC that is cut', tagged(a_xml='<annotation><object>'), tags_of, Line(NO_LABEL + r'a\.xml: broken annotation')),
    (
        'VOC that reads another file',
        tagged(a_xml='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + XML.replace('cat', '&e;')),
        tags_of,
        Line(NO_LABEL + r'a\.xml: broken annotation'),
    ),
    (
        'COCO with broken outlines',
        coco(
            annotations=[
                dict(image_id=1, category_id=1, segmentation=one)
                for one in (7, [7], [[1, 2]], [['a'] * 6], dict(counts='\xe4', size=[9, 9]), dict(counts=['a'] * 2))
            ]
        ),
        outlines_of,
        {'a': None, 'b': []},
    ),
    (
        'COCO with one good outline',
        coco(annotations=[dict(image_id=1, category_id=1, segmentation=[[0, 0, 2, 0, 2, 1, 0, 1]])]),
        outlines_of,
        {'a': [[1, 1, 0], [0, 0, 0]], 'b': []},
    ),
    (
        'LabelMe with broken outlines',
        labelme(
            shapes=[
                dict(label='cat', points=points, shape_type=kind)
                for points, kind in ((7, 'polygon'), ([['a', 'b']], 'polygon'), ([[1, 2]], 'mask'), ([[1, 2]], 'x'))
            ]
        ),
        outlines_of,
        {'a': None},
    ),
    (
        'CVAT with broken outlines',
        tagged(
            a_xml='<annotations><image name="a.jpg"><polygon label="cat" points="a,b"/><mask label="cat" rle="x"/>'
            '<ellipse label="cat"/></image></annotations>'
        ),
        outlines_of,
        {'a': None},
    ),
    (
        'YOLO with broken outlines',
        tagged(a_txt='1 .1 .1 .9 .1 .9 .9 .5\n', classes_txt='dog\ncat'),
        outlines_of,
        {'a': None},
    ),
    ('masks', masked(PIXELS, classes_txt='cat\ndog\n'), tags_of, {'a': ['cat', 'dog']}),
    (
        'masks in colours',
        masked(COLOURS[PIXELS % 3], labelmap_txt='cat:250,50,83::\ndog:51,221,255::\n'),
        tags_of,
        {'a': ['cat', 'dog']},
    ),
    ('masks of 0 and 255', masked(np.uint8(PIXELS > 1) * 255), tags_of, {'a': ['object']}),
    ('masks in colours without names', masked(COLOURS[PIXELS % 3]), tags_of, Line(NO_LABEL + 'the mask has colours')),
    (
        'folders',
        lambda root: [picture(f'{name}/1.png', SEEN)(root) for name in ('cat', 'tv & radio')] and str(root),
        tags_of,
        {'cat/1': ['cat'], 'tv & radio/1': ['tv & radio']},
    ),
    ('one folder', lambda root: picture('cat/1.png', SEEN)(root) and str(root), tags_of, Line('no tags of them')),
]

# ---- masks


def classes_in(path: str, size: tuple[int, int] = (2, 3), **metainfo: Any) -> list:
    """A mask of cats and dogs as training indices."""
    return read_mask(path, ClassIndex(**{'classes': CAT_AND_DOG, **metainfo}), size).tolist()


def by(**metainfo: Any) -> Callable[[str], list]:
    """Read a mask by other classes, values or colours."""
    return lambda path: classes_in(path, **metainfo)


def indexed(pixels: np.ndarray, palette: Any) -> Image.Image:
    image = Image.fromarray(pixels)
    image.putpalette(np.asarray(palette, np.uint8).ravel().tolist())
    return image


ONE = [[0, 1, 1], [1, 1, 0]]
THREE = np.where(PIXELS == 255, 2, PIXELS)
BY_COLOUR = by(mask_colors=dict(background=(0, 0, 0), cat=(250, 50, 83), dog=(51, 221, 255)))
VOC_ORDER = indexed(np.uint8([[0, 1, 2]]), [(64, 0, 0), (64, 0, 128), (0, 0, 0)])
MASKS = [
    ('grey', picture('mask.png', PIXELS), classes_in, PIXELS.tolist()),
    ('indexed', picture('mask.png', indexed(PIXELS, np.arange(768))), classes_in, PIXELS.tolist()),
    ('0 and 255', picture('mask.png', np.uint8(PIXELS > 0) * 255), by(classes='cat', mask_values=255), ONE),
    (
        '0 and 255 in colours',
        picture('mask.png', np.uint8(PIXELS > 0) * 255, 'RGB'),
        by(classes='cat', mask_values=255),
        ONE,
    ),
    ('1 bit', picture('mask.png', PIXELS > 0), by(classes='cat'), ONE),
    (
        'object 1, background 2, void 3',
        picture('mask.png', np.uint8([[2, 1, 3]])),
        by(classes='cat', background_value=2, ignore_values=3, size=(1, 3)),
        [[0, 1, 255]],
    ),
    ("CVAT's colours", picture('mask.png', COLOURS[THREE]), BY_COLOUR, THREE.tolist()),
    ("CVAT's colours with alpha", picture('mask.png', COLOURS[THREE], 'RGBA'), BY_COLOUR, THREE.tolist()),
    (
        "VOC's colours",
        picture('mask.png', np.uint8([[(0, 0, 0), (64, 0, 0), (64, 0, 128)]])),
        by(mask_values=(8, 12), size=(1, 3)),
        [[0, 1, 2]],
    ),
    ("VOC's values", picture('mask.png', np.uint8([[0, 8, 12]])), by(mask_values=(8, 12), size=(1, 3)), [[0, 1, 2]]),
    ('16 bits', picture('mask.png', PIXELS.astype(np.uint16)), classes_in, PIXELS.tolist()),
    ('float TIFF', picture('mask.tif', PIXELS.astype(np.float32)), classes_in, PIXELS.tolist()),
    ('turned by its own EXIF', picture('mask.png', np.uint8([[1, 2, 0]]), orientation=3), by(size=(1, 3)), [[0, 2, 1]]),
    (
        'void in black, classes from 255',
        picture('mask.png', np.uint8([[0, 255, 254]])),
        by(mask_values=(254, 253), background_value=255, ignore_values=0, size=(1, 3)),
        [[255, 0, 1]],
    ),
    (
        'a palette of another order',
        picture('mask.png', VOC_ORDER),
        by(mask_values=(8, 12), size=(1, 3)),
        Line(r"mask\.png: value 0 has the colour \(64, 0, 0\) of cat .*set mask_colors in metainfo to 'palette'"),
    ),
    (
        'the same by its palette',
        picture('mask.png', VOC_ORDER),
        by(mask_values=(8, 12), mask_colors='palette', size=(1, 3)),
        [[1, 2, 0]],
    ),
    (
        'values of no class',
        picture('mask.png', np.uint8([[0, 7, 9]])),
        by(size=(1, 3)),
        Line(r'mask\.png: mask values \[7, 9\] belong to no class, expected \[0, 1, 2, 255\]; set mask_values'),
    ),
    (
        'colours of no class',
        picture('mask.png', COLOURS[THREE]),
        classes_in,
        Line(
            r"mask\.png: the colours \(51, 221, 255\), .*; name the colours in metainfo \(mask_colors\), or put CVAT's"
        ),
    ),
    (
        'a colour of a class that is not wanted',
        picture('mask.png', COLOURS[THREE]),
        by(classes='cat', mask_colors=dict(background=(0, 0, 0), cat=(250, 50, 83), dog=(51, 221, 255))),
        Line(r"mask\.png: the colours of 'dog' belong to no class; name the colours"),
    ),
    (
        'values above 255',
        picture('mask.png', np.uint16([[0, 300, 0]])),
        by(size=(1, 3)),
        Line(r'mask\.png: the mask has values up to 300, .*; save it as an indexed or 8-bit grey PNG$'),
    ),
    ('shares', picture('mask.tif', np.float32([[0, 0.5, 1]])), by(size=(1, 3)), Line(r'a class is a whole number')),
    (
        'another size',
        picture('mask.png', PIXELS[:1]),
        classes_in,
        Line(r'mask\.png: the mask is 3x1, its image 3x2; make the mask at the size of the image$'),
    ),
    (
        '300 classes',
        picture('mask.png', PIXELS),
        by(classes=[f'class {number}' for number in range(300)]),
        Line(r'mask\.png: 300 classes do not fit into a mask, which has 254 at most; name fewer'),
    ),
    ('cut', part(picture('mask.png', NOISE), 0.1), classes_in, Line(r'mask\.png: broken mask \(.*\); make or copy it')),
    ('no byte', file('mask.png', b''), classes_in, Line(r'mask\.png: broken mask \(no known image format\); make')),
    ('a pipe', special('mask.png', os.mkfifo), classes_in, Line(r'mask\.png: broken mask \(no regular file\); make')),
    ('not there', lambda root: str(root / 'mask.png'), classes_in, Line(r'mask\.png: no such mask; put it there or')),
]

# ---- classes


def classes_of(options: Any) -> tuple:
    """The classes that a data set gets from a metainfo."""
    return class_index_of(text_classes(options)).classes


def given(value: Any) -> Callable[[Path], Any]:
    """An input without a file."""
    return lambda root: value


def classes_of_line(text: str) -> tuple:
    """Those of the command line."""
    return classes_of(dict(classes=parse_value('metainfo.classes', text)))


TABLE = tagged(tags_csv='image,label\na,cat;background\nb,dog\n')
LEFT = 'tags that are no classes: '
CLASSES = [
    ('one class', given(dict(classes='cat')), classes_of, ('cat',)),
    (
        '300 classes',
        given(dict(classes=[f'{number}' for number in range(300)])),
        lambda meta: len(classes_of(meta)),
        300,
    ),
    ('digits from the shell', given('007,1'), classes_of_line, ('007', '1')),
    ('a blank from the shell', given('traffic light,dog'), classes_of_line, ('traffic light', 'dog')),
    ('a comma from the shell', given('"big, red",dog'), classes_of_line, ('big, red', 'dog')),
    ('letters that are not composed', given(dict(classes=['Ka\u0308se'])), classes_of, ('K\u00e4se',)),
    ('a class called background', given(dict(classes=['background', 'cat'])), classes_of, ('background', 'cat')),
    ('background in tags', TABLE, tags_of, {'a': ['cat'], 'b': ['dog']}),
    (
        'background in tags that is wanted',
        TABLE,
        wanted('background', 'cat'),
        dict(classes=('background', 'cat'), a=('background', 'cat'), notes=[OTHERS, f'{LEFT}dog']),
    ),
    (
        'a class without a photo',
        TABLE,
        wanted('cat', 'unicorn', 'dog'),
        dict(classes=('cat', 'unicorn', 'dog'), a=('cat',), notes=['no photo shows unicorn', f'{LEFT}background']),
    ),
    (
        'a class that is wanted twice',
        TABLE,
        wanted('cat', 'cat', 'dog'),
        dict(classes=('cat', 'dog'), a=('cat',), notes=[f'{LEFT}background']),
    ),
    (
        'no class that is there',
        TABLE,
        wanted('unicorn'),
        Line(r': no photo shows unicorn; the tags are background, cat'),
    ),
    ('a class twice', given(dict(classes=['cat', 'cat'])), classes_of, Line(r'classes must be different .* got cat$')),
    (
        'a class in both kinds of letters',
        given(dict(classes=['K\u00e4se', 'Ka\u0308se'])),
        classes_of,
        Line('classes must be different names, at least one, got K\u00e4se$'),
    ),
    ('no class', given(dict(classes=[])), classes_of, Line(r'classes must be different names, at least one')),
    (
        'a number as a class',
        given(dict(classes=[7])),
        classes_of,
        Line(r"the class 7 is no text; write it in quotes, '7'"),
    ),
    ('an empty name', given('cat,,dog'), classes_of_line, Line(r'a name of a class is empty; write e\.g\.')),
    (
        'values for fewer classes',
        given(dict(classes=CAT_AND_DOG, mask_values=[1])),
        classes_of,
        Line(r'mask_values must be 2 different values, one a class, got \[1\]'),
    ),
    (
        'a value of two',
        given(dict(classes=CAT_AND_DOG, mask_values=[0, 1])),
        classes_of,
        Line(r'but 0 is there twice$'),
    ),
    (
        'a value that is no byte',
        given(dict(classes='cat', mask_values=256)),
        classes_of,
        Line(r'between 0 and 255, got'),
    ),
    (
        'a class with a separator',
        named('a.png', label='["x;y"]'),
        labels_of_one,
        Line(r"the class 'x;y' has a \";\", which stands between labels; rename it$"),
    ),
    (
        'colours without a class',
        given(dict(classes=CAT_AND_DOG, mask_colors=dict(cat=(1, 2, 3)))),
        classes_of,
        Line(r'mask_colors has no colour of dog, only of cat$'),
    ),
    (
        'a label map that is none',
        lambda root: file('labelmap.txt', 'cat;1;2;3\n')(root) and str(root),
        lambda root: class_index_of(dict(classes='cat'), root),
        Line(r'labelmap\.txt, line 1: a line is name:red,green'),
    ),
]

# ---- label files of data sets


def source(cls: type, name: str, img_id: str = 'a') -> Callable[[str], list[int]]:
    """The labels of an image from a label source."""
    return lambda path: cls(name, class_index=ClassIndex(CAT_AND_DOG), data_root=os.path.dirname(path))(img_id)


CSV, TABLE_OF = source(CSVLabels, 'labels.csv'), source(LabelTable, 'labels.npz')
HEADER = r"labels\.csv: the first line must be the header 'image,label'"
SOURCES = [
    ('labels.csv', file('labels.csv', 'image,label\na.jpg,dog;dog;\n'), CSV, [1]),
    (
        'labels.csv without the image',
        file('labels.csv', 'image,label\nb,dog\n'),
        CSV,
        Line(r'labels\.csv: no labels for a; add a line for it or drop it from the list$'),
    ),
    (
        'labels.csv with an image twice',
        file('labels.csv', 'image,label\na,dog\na,cat\n'),
        CSV,
        Line(r'labels\.csv, line 3: a is already in line 2; join the labels of an image by ";" in one line$'),
    ),
    (
        'labels.csv of another class',
        file('labels.csv', 'image,label\na,cow\n'),
        CSV,
        Line(r"labels\.csv, line 2: unknown class 'cow', the classes are cat, dog; mend the name or set classes"),
    ),
    ('labels.csv without a header', file('labels.csv', 'a,dog\n'), CSV, Line(HEADER)),
    ('labels.csv that is empty', file('labels.csv', ''), CSV, Line(HEADER)),
    ('labels.csv in Latin-1', file('labels.csv', b'image,label\na,\xe4\n'), CSV, Line(r'labels\.csv: broken table \(')),
    (
        'labels.csv, a cell too many',
        file('labels.csv', 'image,label\na,dog,cat\n'),
        CSV,
        Line(r'labels\.csv, line 2: 3 cells, but the header has 2; labels of one image are joined by ";"'),
    ),
    (
        'labels.csv, a cell too few',
        file('labels.csv', 'image,label\na\n'),
        CSV,
        Line(r', line 2: 1 cells, but the header'),
    ),
    ('labels.csv, a header twice', file('labels.csv', 'image,label,Label\na,dog,\n'), CSV, Line(r"has 'label' twice;")),
    (
        'labels.csv, open quotes',
        file('labels.csv', 'image,label\na,"dog\n'),
        CSV,
        Line(r'\(unexpected end of data\); save'),
    ),
    (
        'labels.csv of numbers',
        file('labels.csv', 'image,cat\na,2\n'),
        CSV,
        Line(r"labels\.csv: the first line must be the header 'image,label', or name classes with 0 and 1"),
    ),
    ('labels.csv that is a folder', special('labels.csv', Path.mkdir), CSV, Line(r'labels\.csv: a folder, but labels')),
    ('labels.csv that is not there', lambda root: str(root / 'labels.csv'), CSV, Line(r'labels\.csv: no such label')),
    (
        'a table that is pickled',
        file('labels.npz', hostile.npz(labels=np.array([None], dtype=object))),
        TABLE_OF,
        Line(r"labels\.npz: no label table; make one of IRNet's cls_labels\.npy with tools/dataset_converters/irnet"),
    ),
    (
        'a table of another shape',
        file('labels.npz', hostile.npz(ids=['a'], classes=['cat'], labels=np.ones((2, 1)))),
        TABLE_OF,
        Line(r'labels\.npz: labels have shape \(2, 1\), but there are 1 ids and 1 classes; convert'),
    ),
    (
        'an annotation of another class',
        file('a.xml', XML.replace('cat', 'cow')),
        source(VOCXMLLabels, ''),
        Line(r"a\.xml: unknown class 'cow', the classes are cat, dog; mend"),
    ),
    (
        'an annotation that is not there',
        lambda root: str(root / 'a.xml'),
        source(VOCXMLLabels, ''),
        Line(r'a\.xml: no such annotation; put it there, drop a from the list, or take'),
    ),
]

# ---- CAM files, checkpoints


def hostile_rows(kind: str, name: str, read: Callable, lines: dict[str, str], good: bytes) -> list[tuple]:
    """Rows of the files that :mod:`hostile` has of a kind; each ends with the line of its name, or that of ``''``."""
    ran = Path('/nowhere/ran')
    found = getattr(hostile, kind)(ran, good)
    assert set(lines) - {''} <= set(found)
    return [
        (f'{kind}: {what}', file(name, content), read, Line(lines.get(what, lines[''])))
        for what, content in found.items()
    ]


def cam_of(path: str) -> Any:
    """The CAM of a photo with two classes."""
    return CAMFolder(os.path.dirname(path), num_classes=2).read('a', (48, 64))


GOOD_CAM = hostile.npz(
    **{'classes': np.array([0]), 'size': np.array([48, 64]), 'map.walk': np.zeros((1, 12, 16), np.float16)}
)
NO_CAM = r'a\.npz is not a CAM file \(.+\): delete it and run the CAM stage again$'
OTHER = r'a\.npz has class \d+, but the data set has 2 classes: name the config that the CAMs were made with$'
CAMS = hostile_rows('cams', 'a.npz', cam_of, {'': NO_CAM, 'class 7 of 3': OTHER, 'class 300': OTHER}, GOOD_CAM)
GOOD_CHECKPOINT = hostile.saved(dict(state_dict=torch.nn.Linear(2, 2).state_dict()))
UNSAFE = r'a\.pth: no checkpoint that can be read safely \(.+\); name another, or copy it again$'
DAMAGED = r'a\.pth: .* \(it is damaged, or holds more than tensors and plain values\); name another, or copy it again$'
UNFIT = r'a\.pth does not fit Linear: \d weights are missing, \d are not .*; name a checkpoint that was trained with'
SHAPE = r'a\.pth cannot be loaded into Linear \(.+\): name a checkpoint that was trained with this config$'
CHECKPOINTS = hostile_rows(
    'checkpoints',
    'a.pth',
    lambda path: load_weights(torch.nn.Linear(2, 2), path),
    {
        '': UNSAFE,
        **dict.fromkeys(['a pickle', 'a bomb', 'a bomb beside the tensors', 'HTML'], DAMAGED),
        **dict.fromkeys(['an empty dict', 'no tensors', 'a foreign tensor', 'a tensor missing'], UNFIT),
        **dict.fromkeys(
            ['an empty list', 'a number', 'a text', 'a number of tensors', 'a text as a tensor', 'another shape'], SHAPE
        ),
        'nan': r'a\.pth holds what is no finite number in 1 weights .*: its training diverged; name another',
    },
    GOOD_CHECKPOINT,
)

# ---- settings


def option(key: str, text: str) -> Callable[[Any], Any]:
    """A setting of the command line, put into a config."""

    def read(_: Any) -> Any:
        cfg = Config(dict(model=dict(spotlight=dict(a=1)), train_cfg=dict(max_epochs=1), data=3, train_dataloader=None))
        merge_options(cfg, {key: parse_value(key, text)})
        return cfg

    return read


SETTINGS = [
    ('a folder of digits', given(None), lambda _: parse_value('data_root', '2024'), '2024'),
    (
        'a folder with blanks',
        given(None),
        lambda _: parse_value('a.data_root', '/my photos/a, b [1]'),
        '/my photos/a, b [1]',
    ),
    ('a text in quotes', given(None), lambda _: parse_value('a', '"2024"'), '2024'),
    ('brackets that do not match', given(None), option('model', '[1'), Line(r'its brackets do not match')),
    (
        'a setting that nothing reads',
        given(None),
        option('modle.a', '1'),
        Line(r'modle\.a: a config has no setting modle \(did you mean model\?\)'),
    ),
    (
        'a variable of the config',
        given(None),
        option('data', '1'),
        Line(r'data: data is a variable of .*; set that itself'),
    ),
    ('a misspelt part', given(None), option('model.spotligth.a', '1'), Line(r'there is no spotligth \(did you mean')),
    (
        'nan',
        given(None),
        option('train_cfg.max_epochs', 'nan'),
        Line(r'train_cfg\.max_epochs is nan, which is no number'),
    ),
    (
        'a loader that is a number',
        given(None),
        option('train_dataloader', '3'),
        Line(r'train_dataloader must be a dict'),
    ),
    ('a key of a text', given(None), option('default_scope', 'a.b'), lambda cfg: cfg.default_scope == 'a.b'),
]

ROWS = [
    Row(f'{kind}, {row[0]}', *row[1:])
    for kind, rows in dict(
        photo=PHOTOS,
        name=NAMES,
        list=LISTS,
        tags=TAGS,
        mask=MASKS,
        classes=CLASSES,
        labels=SOURCES,
        file=CAMS + CHECKPOINTS,
        setting=SETTINGS,
    ).items()
    for row in rows
]


@pytest.mark.parametrize('row', ROWS, ids=[row.name for row in ROWS])
@pytest.mark.filterwarnings('ignore:Corrupt EXIF data', 'ignore:Detected pickle protocol')
def test_an_odd_input(row: Row, tmp_path: Path) -> None:
    try:
        made = row.make(tmp_path)
    except (OSError, ValueError) as error:
        pytest.skip(f'this file system has no such file: {error}')
    if not isinstance(row.right, Line):
        found = row.read(made)
        assert row.right(found) if callable(row.right) else found == row.right
        return
    with pytest.raises((ValueError, FileNotFoundError), match=row.right) as caught:
        row.read(made)
    assert '\n' not in str(caught.value)


def test_there_are_a_hundred_of_nine_kinds() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 100
