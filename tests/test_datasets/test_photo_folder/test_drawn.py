"""Outlines in files of tags, and masks that a person corrected: what is measured against, and what is learnt from."""

import base64
import io
import json
import shutil

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets.data_root import apply_options, open_data_root
from mmamr.datasets.photo_folder import lay_out
from mmamr.fileio import read_stored_mask
from mmamr.fileio.annotations import AnnotatedPhoto, write_annotations
from mmamr.structures import MaskClasses
from mmamr.utils import InputError, write_png

NAMES = [f'IMG {number}' for number in range(8)]
CLASSES = MaskClasses(('background', 'cat', 'traffic light'), (0, 1, 2), np.uint8([(0, 0, 0), (9, 9, 9), (99, 9, 9)]))
ALL = ('coco', 'coco-rle', 'labelme', 'cvat')


def label_of(number):
    """A cat in each photo, and a traffic light on it in every second one."""
    label = np.zeros((20, 30), np.uint8)
    label[3 : 15 - number, 2:20] = 1
    if number % 2:
        label[6:9, 5 : 8 + number] = 2
    return label


@pytest.fixture
def photos(tmp_path):
    """A folder of photos with a table, and their label maps."""
    root = tmp_path / 'photos'
    (root / 'day 1').mkdir(parents=True)
    rows = ['image,label']
    for number, name in enumerate(NAMES):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / 'day 1' / f'{name}.jpg')
        rows.append(f'{name}.jpg,cat' + ';traffic light' * (number % 2))
    (root / 'tags.csv').write_text('\n'.join(rows))
    return root


def export(root, out, kinds=ALL, numbers=range(8)):
    found = [
        AnnotatedPhoto(f'day 1/{name}.jpg', f'day 1/{name}', str(root / 'day 1' / f'{name}.jpg'), label_of(number))
        for number in numbers
        for name in [NAMES[number]]
    ]
    for kind in kinds:
        write_annotations(kind, found, CLASSES, str(out), tolerance=0)


def masks_in(folder):
    return {path.stem: read_stored_mask(str(path)) for path in sorted(folder.glob('*.png'))}


def are_right(found, numbers=range(8)):
    return found.keys() == {NAMES[n] for n in numbers} and all((found[NAMES[n]] == label_of(n)).all() for n in numbers)


@pytest.mark.parametrize('kind', [*ALL, 'yolo-seg'])
def test_outlines_of_tags_are_measured_against(photos, tmp_path, kind):
    (photos / 'tags.csv').unlink()
    export(photos, photos, [kind])
    found = lay_out(str(photos), str(tmp_path / 'out'))
    assert found.classes == ('cat', 'traffic light') and found.mask_values == (1, 2) and not found.learns
    assert are_right(masks_in(tmp_path / 'out' / 'SegmentationClass'))
    assert not (tmp_path / 'out' / 'SegmentationClassDrawn').exists()
    files = {path: path.lstat().st_mtime_ns for path in (tmp_path / 'out').rglob('*.png')}
    (photos / 'new.md').write_text('x')
    lay_out(str(photos), str(tmp_path / 'out'))
    assert {path: path.lstat().st_mtime_ns for path in (tmp_path / 'out').rglob('*.png')} == files


def test_few_outlines_do_not_choose_what_is_validated_on(photos, tmp_path):
    (photos / 'tags.csv').unlink()
    export(photos, photos, ['labelme'])
    for number in range(2, 8):
        path = photos / 'labelme' / 'day 1' / f'{NAMES[number]}.json'
        path.write_text(path.read_text().replace('"polygon"', '"rectangle"'))
    found = lay_out(str(photos), str(tmp_path / 'out'))
    assert '2 of 8 photos are outlined, too few to validate on: they are not used' in found.notes
    assert not (tmp_path / 'out' / 'SegmentationClass').exists()
    (photos / 'train.txt').write_text('\n'.join(NAMES[:4]))
    (photos / 'val.txt').write_text('\n'.join(NAMES[4:]))
    found = lay_out(str(photos), str(tmp_path / 'out'))
    assert '2 photos are outlined, but not all that are validated on: they are not used' in found.notes


@pytest.mark.parametrize('kind', ALL)
def test_corrected_masks_come_back_in(photos, tmp_path, kind):
    """Of photos to train with they are learnt from, all are measured against."""
    export(photos, tmp_path / 'corrected', [kind])
    files = dict(coco='coco.json', cvat='cvat.xml', labelme='labelme')
    source = tmp_path / 'corrected' / files.get(kind, 'coco_rle.json')
    out = tmp_path / 'out'
    found = lay_out(str(photos), str(out), masks=str(source))
    train = (out / 'ImageSets' / 'Segmentation' / 'train.txt').read_text().splitlines()
    numbers = [NAMES.index(name) for name in train]
    assert found.learns and 0 < len(train) < 8
    assert are_right(masks_in(out / 'SegmentationClass'))
    assert are_right(masks_in(out / 'SegmentationClassDrawn'), numbers)
    assert f'{len(train)} photos to train with have masks to learn from' in found.notes
    # one is taken back
    other = next(number for number in numbers if number % 2 == 0)
    table = (photos / 'tags.csv').read_text()
    (photos / 'tags.csv').write_text(table.replace(f'{NAMES[other]}.jpg,cat', f'{NAMES[other]}.jpg,cat;traffic light'))
    found = lay_out(str(photos), str(out), masks=str(source))
    assert are_right(masks_in(out / 'SegmentationClassDrawn'), [number for number in numbers if number != other])
    assert any(f'day 1/{NAMES[other]}.jpg: no outline of traffic light' in note for note in found.notes)


def test_some_photos_are_corrected(photos, tmp_path):
    """Half of them are validated on, as far as they can be measured, and the rest is learnt from."""
    export(photos, tmp_path, ['labelme'], [1, 3, 4, 6])
    found = lay_out(str(photos), str(tmp_path / 'out'), masks=str(tmp_path / 'labelme'))
    val = (tmp_path / 'out' / 'ImageSets' / 'Segmentation' / 'val.txt').read_text().splitlines()
    learnt = masks_in(tmp_path / 'out' / 'SegmentationClassDrawn')
    assert found.learns and learnt and {*learnt} | {*val} == {NAMES[n] for n in (1, 3, 4, 6)}


def test_masks_as_files(photos, tmp_path):
    """PNGs of other values, whose names a file tells, and which some photos to validate on lack."""
    for number in range(0, 8, 2):
        write_png(str(tmp_path / 'masks' / f'{NAMES[number]}.png'), label_of(number) * 7, np.zeros((256, 3)))
    names = ['background', *'abcdef', 'cat', *'hijklm', 'traffic light']
    (tmp_path / 'masks' / 'classes.txt').write_text('\n'.join(names))
    (photos / 'train.txt').write_text('\n'.join(NAMES[:4]))
    (photos / 'val.txt').write_text('\n'.join(NAMES[4:]))
    found = lay_out(str(photos), str(tmp_path / 'out'), masks=str(tmp_path / 'masks'))
    assert found.learns and not (tmp_path / 'out' / 'SegmentationClass').exists()
    learnt = masks_in(tmp_path / 'out' / 'SegmentationClassDrawn')
    # predictions beside the photos are no photos, and know their values themselves
    (tmp_path / 'masks').rename(photos / 'out')
    (photos / 'out' / 'classes.txt').unlink()
    named = [dict(name='-', value=0, background=True), dict(name='cat', value=7), dict(name='traffic light', value=14)]
    (photos / 'out' / 'classes.json').write_text(json.dumps(dict(classes=named)))
    shutil.copy(photos / 'day 1' / 'IMG 0.jpg', photos / 'out' / 'contact_sheet.jpg')
    again = lay_out(str(photos), str(tmp_path / 'again'), masks=str(photos / 'out'))
    assert (again.counts, again.mask_values, again.classes) == (found.counts, found.mask_values, found.classes)
    cat, light = found.mask_values
    assert {*learnt} == {'IMG 0', 'IMG 2'} and (learnt['IMG 2'] == np.uint8([0, cat, light])[label_of(2)]).all()


def test_what_is_no_whole_mask(photos, tmp_path):
    """Boxes, classes without an outline, areas that do not count, and LabelMe's masks and circles."""
    png = io.BytesIO()
    Image.fromarray(np.uint8([[0, 255], [255, 255]])).save(png, 'PNG')
    cat = dict(label='cat', points=[[0, 0], [9, 0], [9, 9], [0, 9]], shape_type='polygon')
    circle = dict(label='traffic light', points=[[20, 9], [20, 12]], shape_type='circle')
    pixels = dict(label='__ignore__', shape_type='mask', mask=base64.b64encode(png.getvalue()).decode())
    shapes = {
        0: [cat, dict(pixels, points=[[2, 2], [3, 3]])],
        1: [cat],  # its tags say that there is a traffic light
        2: [cat, dict(cat, points=[[10, 10], [12, 12]], shape_type='rectangle')],
        3: [cat, dict(points=[[1, 1]], shape_type='point'), circle],
        4: [dict(cat, points=7)],
    }
    (tmp_path / 'c').mkdir()
    for number, some in shapes.items():
        content = dict(imagePath=f'{NAMES[number]}.jpg', shapes=some)
        (tmp_path / 'c' / f'{NAMES[number]}.json').write_text(json.dumps(content))
    (photos / 'train.txt').write_text('\n'.join(NAMES[:5]))
    (photos / 'val.txt').write_text('\n'.join(NAMES[5:]))
    found = lay_out(str(photos), str(tmp_path / 'out'), masks=str(tmp_path / 'c'))
    learnt = masks_in(tmp_path / 'out' / 'SegmentationClassDrawn')
    assert {*learnt} == {'IMG 0', 'IMG 3'}
    assert learnt['IMG 0'][:4, :4].tolist() == [[1] * 4, [1] * 4, [1, 1, 1, 255], [1, 1, 255, 255]]
    assert abs((learnt['IMG 3'] == 2).sum() - np.pi * 9) < 5
    (note,) = [note for note in found.notes if 'without a whole mask' in note]
    assert note.startswith('3 photos without a whole mask: day 1/IMG 1.jpg: no outline of traffic light; ')


def test_wrong_masks_are_one_line(photos, tmp_path):
    (tmp_path / 'empty').mkdir()
    for name, line in (('nowhere', 'no such file or folder; name a COCO'), ('empty', 'no masks or outlines of these')):
        with pytest.raises(InputError, match=f'--masks .*{name}: {line}') as caught:
            lay_out(str(photos), str(tmp_path / 'out'), masks=str(tmp_path / name))
        assert '\n' not in str(caught.value)
    export(photos, tmp_path, ['coco-rle'])
    content = json.loads((tmp_path / 'coco_rle.json').read_text())
    content['annotations'][0]['segmentation']['counts'] = [7]
    (tmp_path / 'coco_rle.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match=r'IMG \d\.jpg: an outline of it is broken \(run lengths of 7 pixels, but'):
        lay_out(str(photos), str(tmp_path / 'out'), masks=str(tmp_path / 'coco_rle.json'))


def test_masks_reach_the_pseudo_labels_and_nothing_else(photos, tmp_path):
    export(photos, tmp_path, ['labelme'])
    options = dict(data_root=str(photos), masks=str(tmp_path / 'labelme'))
    cfg = Config(dict(test_cfg=dict(type='PseudoLabelLoop'), model=dict(type='NoModel'), default_scope='mmamr'))
    apply_options(cfg, options, str(tmp_path / 'work'))
    assert cfg.test_cfg.drawn_dir == str(tmp_path / 'work' / 'photos' / 'SegmentationClassDrawn')
    # the layout itself knows it
    assert open_data_root(str(tmp_path / 'work' / 'photos'), 'w').drawn_dir == cfg.test_cfg.drawn_dir
    cfg = Config(dict(test_cfg=dict(type='CAMLoop'), model=dict(type='NoModel'), default_scope='mmamr'))
    with pytest.raises(InputError, match=r'^--masks: nothing here makes pseudo labels, whose place they would take; '):
        apply_options(cfg, options, str(tmp_path / 'work'))
