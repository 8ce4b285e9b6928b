"""Each format is read back by programs of others, and compared pixel by pixel."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mmamr.fileio.annotations import FORMATS, AnnotatedPhoto, write_annotations
from mmamr.fileio.annotations.formats import run_lengths
from mmamr.fileio.annotations.outlines import pieces_of, polygon_of, signed_area
from mmamr.structures import MaskClasses

CLASSES = MaskClasses.of_meta(
    dict(
        classes=('background', 'cat & <dog>', 'Käse, "alt"'),
        mask_values=(0, 5, 2),
        palette=[[0] * 3, [9] * 3, [7] * 3],
    ),
    3,
)
NAMES = CLASSES.names[1:]


def ring(size=(60, 80)):
    """A disc with two holes, of which one has an island, and a square apart."""
    y, x = np.mgrid[: size[0], : size[1]]

    def disc(cy, cx, radius):
        return (y - cy) ** 2 + (x - cx) ** 2 <= radius**2

    region = disc(30, 30, 25) & ~disc(25, 22, 9) | disc(25, 22, 4)
    region &= ~disc(42, 40, 5)
    region[5:15, 65:75] = True
    return region


def filled(polygons, size):
    """The pixels whose centre lies in a polygon, by the even-odd rule."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    inside = np.zeros(size, bool)
    for polygon in map(np.asarray, polygons):
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0)):
            if y0 != y1:
                inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def photos(tmp_path):
    """Two photos with masks, one of them with nothing in it."""
    label = np.zeros((60, 80), np.uint8)
    label[ring()] = 1
    label[50:58, 60:79] = 2
    label[0, 0] = 255
    items = []
    for name, content in (('a b/ünï, 1.jpg', label), ('empty.png', np.zeros((20, 30), np.uint8))):
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((*content.shape, 3), np.uint8)).save(path)
        items.append(AnnotatedPhoto(name, name.rpartition('.')[0], str(path), content))
    return items


@pytest.fixture
def written(tmp_path):
    def write(name, tolerance=1.0):
        items = photos(tmp_path)
        write_annotations(name, items, CLASSES, str(tmp_path / 'out'), tolerance)
        return items, tmp_path / 'out'

    return write


@pytest.mark.parametrize('seed', range(4))
def test_outlines_without_tolerance_are_exact(seed):
    """Regions at random: pieces that touch at corners, holes in holes, single pixels."""
    mask_tools = pytest.importorskip('pycocotools.mask')
    rng = np.random.default_rng(seed)
    for _ in range(40):
        size = tuple(rng.integers(1, 13, 2).tolist())
        region = rng.random(size) < rng.random()
        seen = np.zeros(size, int)
        area = 0.0
        for piece, left, top in pieces_of(region):
            polygon = polygon_of(piece, 0) + (left, top)
            area += abs(signed_area(polygon))
            lengths = mask_tools.frPyObjects([polygon.reshape(-1).tolist()], *size)
            seen += mask_tools.decode(lengths)[..., 0]
            exact = dict(size=list(size), counts=run_lengths(piece, left, top, size))
            assert mask_tools.decode(mask_tools.frPyObjects(exact, *size)).sum() == piece.sum()
        assert area == region.sum() and np.array_equal(seen, region.astype(int))


def test_a_hole_is_cut_out_and_a_tolerance_saves_corners():
    region = ring()
    exact = [polygon_of(piece, 0) + (left, top) for piece, left, top in pieces_of(region)]
    assert len(exact) == 3 and np.array_equal(filled(exact, region.shape), region)
    simple = [polygon_of(piece) + (left, top) for piece, left, top in pieces_of(region)]
    assert sum(map(len, simple)) < sum(map(len, exact)) / 2
    assert iou(filled(simple, region.shape), region) > 0.9
    assert not filled(simple, region.shape)[42, 40] and filled(simple, region.shape)[25, 22]


def merged(annotations, masks, size, names):
    """The label map that annotations of a photo make."""
    label = np.zeros(size, np.uint8)
    for name, mask in zip(annotations, masks):
        label[np.asarray(mask, bool)] = names.index(name) + 1
    return label


def assert_same(label, item, exact):
    wanted = np.where(item.label == 255, 0, item.label)
    assert label.shape == wanted.shape
    if exact:
        assert np.array_equal(label, wanted)
    else:
        for value in np.unique(wanted):
            assert iou(label == value, wanted == value) > 0.9


@pytest.mark.parametrize('name, tolerance', [('coco', 0), ('coco', 1), ('coco-rle', 1)])
def test_coco_is_read_by_pycocotools(written, name, tolerance, capsys):
    coco_tools = pytest.importorskip('pycocotools.coco')
    items, out = written(name, tolerance)
    coco = coco_tools.COCO(str(out / ('coco_rle.json' if name == 'coco-rle' else 'coco.json')))
    assert [one['name'] for one in coco.loadCats(coco.getCatIds())] == list(NAMES)
    assert [one['file_name'] for one in coco.loadImgs(coco.getImgIds())] == [item.name for item in items]
    for item, image in zip(items, coco.loadImgs(coco.getImgIds())):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image['id'], iscrowd=False))
        masks = [coco.annToMask(one) for one in annotations]
        kinds = [NAMES[one['category_id'] - 1] for one in annotations]
        assert (image['height'], image['width']) == item.label.shape
        assert_same(merged(kinds, masks, item.label.shape, NAMES), item, exact=name == 'coco-rle' or tolerance == 0)
        for one, mask in zip(annotations, masks):
            x, y, width, height = one['bbox']
            assert mask[int(y) : int(y + height), int(x) : int(x + width)].sum() == mask.sum()
            assert abs(one['area'] - mask.sum()) <= max(3, 0.1 * mask.sum())


@pytest.mark.parametrize('name', ['yolo-seg', 'labelme'])
def test_yolo_and_labelme_are_read_by_supervision(written, tmp_path, name):
    supervision = pytest.importorskip('supervision')
    items, out = written(name, 0)
    item = items[0]
    image_dir = str(Path(item.path).parent)
    if name == 'yolo-seg':
        folder = out / 'yolo-seg'
        data = supervision.DetectionDataset.from_yolo(
            image_dir, str(folder / 'labels' / 'a b'), str(folder / 'data.yaml'), force_masks=True
        )
        assert data.classes == list(NAMES)
        assert (folder / 'labels' / 'empty.txt').read_text() == ''
    else:
        data = supervision.DetectionDataset.from_labelme(image_dir, str(out / 'labelme' / 'a b'), force_masks=True)
    _, _, detections = next(iter(data))
    kinds = [data.classes[number] for number in detections.class_id]
    label = merged(kinds, detections.mask, item.label.shape, NAMES)
    # it fills the pixels on outlines too
    for value in (1, 2):
        assert iou(label == value, item.label == value) > 0.75


def test_yolo_line_by_line(written):
    items, out = written('yolo-seg', 0)
    lines = (out / 'yolo-seg' / 'labels' / 'a b' / 'ünï, 1.txt').read_text().splitlines()
    size = items[0].label.shape
    polygons = {1: [], 2: []}
    for line in lines:
        kind, *places = line.split()
        assert len(places) >= 6 and all(0 <= float(place) <= 1 for place in places)
        polygons[int(kind) + 1].append(np.array(places, float).reshape(-1, 2) * (size[1], size[0]))
    for value, own in polygons.items():
        assert np.array_equal(filled(own, size), items[0].label == value)


def test_labelme_shape_by_shape(written):
    items, out = written('labelme', 0)
    path = out / 'labelme' / 'a b' / 'ünï, 1.json'
    content = json.loads(path.read_text())
    # what labelme's own reader asks for
    assert {'version', 'flags', 'shapes', 'imagePath', 'imageData', 'imageHeight', 'imageWidth'} == set(content)
    assert (path.parent / content['imagePath']).resolve() == Path(items[0].path).resolve()
    size = (content['imageHeight'], content['imageWidth'])
    for value, name in enumerate(NAMES, 1):
        own = [shape['points'] for shape in content['shapes'] if shape['label'] == name]
        assert np.array_equal(filled(own, size), items[0].label == value)
    assert all(shape['shape_type'] == 'polygon' for shape in content['shapes'])


def test_labelme_is_read_by_labelme(written):
    labelme = pytest.importorskip('labelme')
    _, out = written('labelme')
    file = labelme.LabelFile(str(out / 'labelme' / 'a b' / 'ünï, 1.json'))
    assert {shape['label'] for shape in file.shapes} == set(NAMES)


def test_cvat_image_by_image(written):
    items, out = written('cvat', 0)
    root = ElementTree.parse(out / 'cvat.xml').getroot()
    assert root.tag == 'annotations' and root.findtext('version') == '1.1'
    labels = root.findall('meta/task/labels/label')
    assert [(one.findtext('name'), one.findtext('color')) for one in labels] == [
        (NAMES[0], '#090909'),
        (NAMES[1], '#070707'),
    ]
    images = root.findall('image')
    assert [(one.get('id'), one.get('name')) for one in images] == [('0', items[0].name), ('1', items[1].name)]
    for item, image in zip(items, images):
        assert (int(image.get('height')), int(image.get('width'))) == item.label.shape
        for value, name in enumerate(NAMES, 1):
            own = [
                [tuple(map(float, point.split(','))) for point in one.get('points').split(';')]
                for one in image.findall('polygon')
                if one.get('label') == name
            ]
            assert np.array_equal(filled(own, item.label.shape), item.label == value)
        assert all({'occluded', 'source', 'z_order'} < set(one.keys()) for one in image.findall('polygon'))


def test_cvat_is_read_by_datumaro(written):
    datumaro = pytest.importorskip('datumaro')
    _, out = written('cvat')
    data = datumaro.Dataset.import_from(str(out / 'cvat.xml'), 'cvat')
    found = {item.id: item for item in data}
    assert len(found['a b/ünï, 1'].annotations) == 4 and not found['empty'].annotations


@pytest.mark.parametrize('name', FORMATS)
def test_any_name_can_be_written(tmp_path, name):
    """Names that are no text for XML or UTF-8 are replaced there, and nothing fails."""
    odd = MaskClasses(('background', 'a\x01\udcff'), (0, 1), np.zeros((2, 3), np.uint8))
    item = AnnotatedPhoto('x.jpg', 'x', str(tmp_path / 'x.jpg'), np.ones((4, 5), np.uint8))
    assert write_annotations(name, [item], odd, str(tmp_path / 'out')).written


@pytest.mark.parametrize('name', list(FORMATS))
def test_corrections_are_not_written_over(tmp_path, name):
    """A changed file stays, one that is as it was written is written anew, one that is lost comes back."""

    def photos(value):
        label = np.zeros((20, 30), np.uint8)
        label[5:15, 5:15] = value
        return [AnnotatedPhoto(f'{stem}.jpg', stem, str(tmp_path / f'{stem}.jpg'), label) for stem in ('a', 'b')]

    out = tmp_path / 'out'
    first = write_annotations(name, photos(1), CLASSES, str(out))
    assert first.written and not first.changed
    mine = Path(first.written[0])
    mine.write_bytes(mine.read_bytes() + b'\n')
    Path(first.written[-1]).unlink() if len(first.written) > 1 else None
    again = write_annotations(name, photos(2), CLASSES, str(out))
    assert again.changed == [str(mine)] and mine.read_bytes().endswith(b'\n\n' if name != 'cvat' else b'>\n')
    assert again.written == first.written[1:] and all(Path(path).exists() for path in again.written)
    redone = write_annotations(name, photos(2), CLASSES, str(out), redo=True)
    assert redone.written == first.written and not redone.changed
    fresh = write_annotations(name, photos(2), CLASSES, str(tmp_path / 'fresh' / 'out'))
    assert [Path(path).name for path in fresh.written] == [Path(path).name for path in first.written]
    if name != 'labelme':  # which names the photo relative to itself
        assert Path(fresh.written[0]).read_bytes() == mine.read_bytes()
