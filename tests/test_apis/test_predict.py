import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmamr.apis import predict
from mmamr.apis.predict import find_checkpoint, find_photos
from mmamr.fileio.annotations import FORMATS
from mmamr.utils import InputError


@pytest.fixture
def photos(trained, tmp_path):
    """A folder with four photos under odd names."""
    folder = tmp_path / 'my photos, 2024'
    for number, name in enumerate(('a.jpg', 'sub dir/ünï;1.JPG', 'sub dir/b.jpg', '007.jpg')):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(f'{trained.photos}/img_{number:02d}.jpg', folder / name)
    return folder


STEMS = ('007', 'a', 'sub dir/b', 'sub dir/ünï;1')


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob('*') if path.is_file()}


def test_a_work_folder_has_its_checkpoint(trained, tmp_path):
    training = tmp_path / 'training'
    training.mkdir()
    for number in (9, 10):
        shutil.copy(trained.classifier, training / f'epoch_{number}.pth')
    (training / 'epoch_11.pth').write_bytes(b'half a file')
    assert find_checkpoint(training) == str(training / 'epoch_10.pth')
    assert find_checkpoint(trained.segmentation) == trained.segmentation
    with pytest.raises(InputError, match=r'no checkpoint in this folder'):
        find_checkpoint(tmp_path)
    # of a pipeline: that of the last training that is done
    stages = ['classifier', 'cam', 'segmentation', 'more']
    records = {name: dict(state='done', kind='test' if name == 'cam' else 'train') for name in stages[:3]}
    records['more'] = dict(state='interrupted', kind='train')
    (tmp_path / 'manifest.json').write_text(
        json.dumps(dict(format=2, pipeline=dict(config=None, stages=stages), stages=records))
    )
    shutil.copytree(training, tmp_path / 'classifier')
    (tmp_path / 'segmentation').mkdir()
    shutil.copy(trained.segmentation, tmp_path / 'segmentation' / 'iter_20.pth')
    assert find_checkpoint(tmp_path) == str(tmp_path / 'segmentation' / 'iter_20.pth')


def test_masks_overlays_sheet_and_classes(trained, photos, tmp_path):
    report = predict(trained.segmentation, str(photos), str(tmp_path / 'out'))
    assert (report.made, report.kept, report.failed) == (4, 0, [])
    assert set(files(tmp_path / 'out')) == {
        'classes.json',
        'contact_sheet.jpg',
        *(f'masks/{stem}.png' for stem in STEMS),
        *(f'overlays/{stem}.jpg' for stem in STEMS),
    }
    classes = json.loads((tmp_path / 'out' / 'classes.json').read_text())
    assert [(one['name'], one['value'], one['background']) for one in classes['classes']] == [
        ('background', 0, True),
        ('disc', 1, False),
        ('square', 2, False),
        ('cross', 3, False),
    ]
    seen = set()
    for stem in STEMS:
        with Image.open(tmp_path / 'out' / 'masks' / f'{stem}.png') as mask:
            photo = next(photos.glob(f'{stem}.*'))
            assert mask.mode == 'P' and mask.size == Image.open(photo).size
            assert mask.getpalette()[3:6] == classes['classes'][1]['color']
            seen |= set(np.unique(np.asarray(mask)).tolist())
        with Image.open(tmp_path / 'out' / 'overlays' / f'{stem}.jpg') as overlay:
            assert overlay.size == mask.size
    assert len(seen) > 1 and seen <= {0, 1, 2, 3}


def test_what_is_there_is_kept_and_what_is_broken_is_made_again(trained, photos, tmp_path):
    out = tmp_path / 'out'
    predict(trained.segmentation, str(photos), str(out))
    first = files(out)
    (out / 'masks' / 'a.png').write_bytes(first['masks/a.png'][:60])
    (out / 'overlays' / '007.jpg').unlink()
    report = predict(trained.segmentation, str(photos), str(out), batch_size=3)
    assert (report.made, report.kept) == (1, 3) and files(out) == first
    # a mask that somebody corrected
    corrected = Image.fromarray(np.full_like(np.asarray(Image.open(out / 'masks' / 'a.png')), 2))
    corrected.save(out / 'masks' / 'a.png')
    assert predict(trained.segmentation, str(photos), str(out)).kept == 4
    assert (np.asarray(Image.open(out / 'masks' / 'a.png')) == 2).all()
    report = predict(trained.segmentation, str(photos), str(out), redo=True)
    assert report.made == 4 and files(out) == first


def test_results_of_other_options_photos_or_models_are_not_mixed(trained, photos, tmp_path):
    out = tmp_path / 'out'
    predict(trained.segmentation, str(photos), str(out), fast=True)
    before = files(out)
    with pytest.raises(InputError, match=r'^[^\n]*007.png was made with another checkpoint or other[^\n]*--redo'):
        predict(trained.segmentation, str(photos), str(out))
    shutil.copy(photos / 'a.jpg', photos / '007.jpg')
    with pytest.raises(InputError, match=r'^[^\n]*007.png was made of another photo'):
        predict(trained.segmentation, str(photos), str(out), fast=True)
    assert files(out) == before
    assert predict(trained.segmentation, str(photos), str(out), fast=True, redo=True).made == 4


def test_neither_order_nor_batch_changes_a_file(trained, photos, tmp_path):
    named = sorted(str(path) for path in photos.rglob('*') if path.is_file())
    predict(trained.segmentation, named, str(tmp_path / 'one'), formats=['coco'])
    predict(trained.segmentation, named[::-1], str(tmp_path / 'two'), formats=['coco'], batch_size=3, num_workers=1)
    assert files(tmp_path / 'one') == files(tmp_path / 'two')


def test_photos_that_cannot_be_read_are_named_and_the_rest_is_done(trained, photos, tmp_path):
    (photos / 'broken.jpg').write_bytes((photos / 'a.jpg').read_bytes()[:400])
    (photos / 'text.png').write_text('no picture')
    (tmp_path / 'nothing').mkdir()
    inputs = [str(photos), str(tmp_path / 'nowhere.jpg'), str(tmp_path / 'nothing'), str(tmp_path / '*.tif')]
    report = predict(trained.segmentation, inputs, str(tmp_path / 'out'), fast=True, formats=FORMATS)
    assert report.made == 4 and len(report.failed) == 5
    for name in ('broken.jpg', 'text.png', 'nowhere.jpg', 'nothing', '*.tif'):
        assert sum(name in line and '\n' not in line for line in report.failed) == 1
    images = json.loads((tmp_path / 'out' / 'coco.json').read_text())['images']
    assert [one['file_name'] for one in images] == ['007.jpg', 'a.jpg', 'sub dir/b.jpg', 'sub dir/ünï;1.JPG']
    with pytest.raises(InputError, match=r'nowhere\.jpg: no such photo or folder'):
        predict(trained.segmentation, str(tmp_path / 'nowhere.jpg'), str(tmp_path / 'none'))


def test_tiny_and_slim_photos(trained, tmp_path):
    for width, height in ((1, 1), (2, 90), (90, 2)):
        Image.new('RGB', (width, height), (90, 160, 20)).save(tmp_path / f'{width}x{height}.png')
    report = predict(trained.segmentation, str(tmp_path), str(tmp_path / 'out'))
    assert report.made == 3 and not report.failed
    assert Image.open(tmp_path / 'out' / 'masks' / '90x2.png').size == (90, 2)


def test_a_classifier_gives_tags_cams_and_seeds(trained, photos, tmp_path):
    out = tmp_path / 'out'
    report = predict(trained.classifier, str(photos), str(out), formats=['coco-rle'])
    assert report.made == 4
    assert set(files(out)) == {
        'classes.json',
        'contact_sheet.jpg',
        'tags.csv',
        'scores.csv',
        'coco_rle.json',
        '.annotations.json',
        *(f'seeds/{stem}.png' for stem in STEMS),
        *(f'cams/{stem}.jpg' for stem in STEMS),
    }
    with open(out / 'tags.csv', newline='', encoding='utf-8') as file:
        tags = {row['image']: row['labels'].split(';') for row in csv.DictReader(file)}
    with open(out / 'scores.csv', newline='', encoding='utf-8') as file:
        scores = {row.pop('image'): row for row in csv.DictReader(file)}
    assert list(tags) == list(scores) == ['007.jpg', 'a.jpg', 'sub dir/b.jpg', 'sub dir/ünï;1.JPG']
    for name, own in scores.items():
        above = [key for key, score in own.items() if float(score) > 0.5]
        assert tags[name] == (above or [''])
        seed = np.asarray(Image.open(out / 'seeds' / (name.rpartition('.')[0] + '.png')))
        assert set(np.unique(seed).tolist()) - {0} <= {('disc', 'square', 'cross').index(one) + 1 for one in above}
    assert any(tags.values())
    before = files(out)
    assert predict(trained.classifier, str(photos), str(out), batch_size=2).kept == 4 and files(out) == before
    report = predict(trained.classifier, str(photos), str(tmp_path / 'few'), fast=True, score_threshold=1.0)
    assert (tmp_path / 'few' / 'tags.csv').read_text().splitlines()[1] == '007.jpg,'
    with pytest.raises(InputError, match='thresholds are for classifiers'):
        predict(trained.segmentation, str(photos), str(tmp_path / 'none'), threshold=0.3)


def test_tags_come_back_in_as_labels(trained, photos, tmp_path):
    predict(trained.classifier, str(photos), str(tmp_path / 'out'), fast=True)
    rows = (tmp_path / 'out' / 'tags.csv').read_text(encoding='utf-8').splitlines()
    assert rows[0] == 'image,labels'


def test_names_of_photos(tmp_path):
    for name in ('a/x.jpg', 'a/x.png', 'b/x.jpg', 'b/deep/er/y.webp', 'out/z.jpg', 'b/.hidden.jpg', 'b/notes.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    out = str(tmp_path / 'out')

    def stems(*inputs):
        found, failed = find_photos([str(tmp_path / one) for one in inputs], out)
        assert not failed
        return {os.path.relpath(photo.path, tmp_path): photo.stem for photo in found}

    assert stems('b') == {'b/x.jpg': 'x', 'b/deep/er/y.webp': 'deep/er/y'}
    assert stems('b', 'b/x.jpg', 'b/deep') == stems('b')
    assert stems('.') == {
        'a/x.jpg': 'a/x.jpg',
        'a/x.png': 'a/x.png',
        'b/x.jpg': 'b/x',
        'b/deep/er/y.webp': 'b/deep/er/y',
    }
    assert set(stems('a', 'b').values()) == {'a/x', 'x.png', 'b/x', 'deep/er/y'}
    assert stems('b/**/*.webp') == {'b/deep/er/y.webp': 'deep/er/y'}
    assert stems('*/x.jpg') == {'a/x.jpg': 'a/x', 'b/x.jpg': 'b/x'}
    (tmp_path / '[1].jpg').write_bytes(b'')
    assert stems('[1].jpg') == {'[1].jpg': '[1]'}


def test_corrected_annotations_stay(trained, photos, tmp_path):
    out = tmp_path / 'out'
    first = predict(trained.segmentation, str(photos), str(out), formats=['labelme'])
    corrected = sorted((out / 'labelme').rglob('*.json'))[0]
    corrected.write_text('{"shapes": []}')
    second = predict(trained.segmentation, str(photos), str(out), formats=['labelme'])
    assert second.changed == [str(corrected)] and not first.changed and corrected.read_text() == '{"shapes": []}'
    assert not predict(trained.segmentation, str(photos), str(out), formats=['labelme'], redo=True).changed
    assert corrected.read_text() != '{"shapes": []}'
