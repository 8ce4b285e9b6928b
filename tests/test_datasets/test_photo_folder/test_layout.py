"""Folders of photos laid out as VOC's: names, splits, masks, and what is kept when photos are added."""

import csv
import errno
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from mmamr.datasets import ImageLabelDataset, folder_metainfo
from mmamr.datasets.photo_folder import lay_out, layout
from mmamr.utils import DatasetError, InputError

ODD = ['IMG 1', '2024', 'K\u00e4se', 'Ka\u0308se 2', 'a, b', '"q"', "it's", 'x.jpg', 'C:y', '-1', 'p' * 200]


def draw(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)).save(path)


def write_tags(root, tags, name='tags.csv'):
    with open(root / name, 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([('image', 'label'), *tags.items()])


def fill(root, names, classes=('cat', 'dog')):
    for seed, name in enumerate(names):
        draw(root / name, seed)
    write_tags(root, {name: classes[number % len(classes)] for number, name in enumerate(names)})
    return str(root)


def read_splits(out):
    with open(out / 'photos.csv', newline='', encoding='utf-8') as file:
        return {row['photo']: (row['id'], row['split']) for row in csv.DictReader(file)}


def files_of(out):
    paths = [path for path in out.rglob('*') if not path.is_dir()]
    return {str(path.relative_to(out)): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in paths}


def test_odd_names_come_through_to_the_data_set(tmp_path):
    names = [f'{name}.jpg' for name in ODD]
    classes = ('traffic light', '007', 'big, red', 'K\u00e4se')
    source = fill(tmp_path / 'my photos', names, classes)
    found = lay_out(source, str(tmp_path / 'out'), classes=classes, val_ratio=0)
    assert found.classes == classes and found.counts['train'][''] == len(ODD)
    dataset = ImageLabelDataset(
        data_root=str(tmp_path / 'out'),
        metainfo=folder_metainfo(str(tmp_path / 'out')),
        labels=dict(type='CSVLabels', file='labels.csv'),
    )
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    photos = {img_id: photo for photo, (img_id, _) in read_splits(tmp_path / 'out').items()}
    assert len(items) == len(ODD) and photos['IMG 1'] == 'IMG 1.jpg' and photos['a, b'] == 'a, b.jpg'
    for item in items:
        photo = photos[item['img_id']]
        assert os.path.realpath(item['img_path']) == str(tmp_path / 'my photos' / photo)
        assert [dataset.class_index.classes[label] for label in item['gt_label']] == [
            classes[names.index(photo) % len(classes)]
        ]


def test_ids_are_paths_below_the_folder_that_all_share(tmp_path):
    names = ['in/a/1.jpg', 'in/a/1.png', 'in/b/1.jpg', 'in/a_1.jpg', 'in/A/1.JPG', 'in/b/2.TIFF']
    lay_out(fill(tmp_path / 'photos', names), str(tmp_path / 'out'))
    ids = {photo: img_id for photo, (img_id, _) in read_splits(tmp_path / 'out').items()}
    assert len({img_id.casefold() for img_id in ids.values()}) == 6
    assert ids['in/b/1.jpg'] == 'b_1' and ids['in/b/2.TIFF'] == 'b_2' and ids['in/A/1.JPG'] == 'A_1'
    assert (tmp_path / 'out' / 'JPEGImages' / 'b_2.tiff').is_file()


def test_photos_that_are_added_change_nothing_else(tmp_path):
    source, out = tmp_path / 'photos', tmp_path / 'out'
    names = [f'day 1/{number}.jpg' for number in range(40)]
    lay_out(fill(source, names), str(out))
    before, files = read_splits(out), files_of(out)
    assert 0 < sum(split == 'val' for _, split in before.values()) < 20
    assert before['day 1/3.jpg'][0] == '3'

    assert lay_out(str(source), str(out)).counts['train']['cat'] > 0
    assert files_of(out) == files

    fill(source, [*names, *(f'day 2/{number}.jpg' for number in range(10))])
    lay_out(str(source), str(out))
    after = read_splits(out)
    assert len(after) == 50 and after['day 2/3.jpg'][0] == 'day 2_3'
    assert {photo: after[photo] for photo in before} == before
    links = {name: stat for name, stat in files.items() if name.startswith('JPEGImages')}
    assert {name: stat for name, stat in files_of(out).items() if name in links} == links

    # a fresh one gives each photo the same split
    lay_out(str(source), str(tmp_path / 'fresh'))
    fresh = read_splits(tmp_path / 'fresh')
    assert {photo: split for photo, (_, split) in fresh.items()} == {
        photo: split for photo, (_, split) in after.items()
    }

    (source / 'day 1' / '3.jpg').unlink()
    found = lay_out(str(source), str(out))
    assert '3' not in {img_id for img_id, _ in read_splits(out).values()}
    assert '1 photos of before are no longer listed: day 1/3.jpg' in found.notes


def test_tags_that_change_are_read_again(tmp_path):
    source = fill(tmp_path / 'photos', ['a.jpg', 'b.jpg', 'c.jpg'])
    lay_out(source, str(tmp_path / 'out'))
    write_tags(tmp_path / 'photos', {'a.jpg': 'cow', 'b.jpg': 'cat'})
    assert lay_out(source, str(tmp_path / 'out')).classes == ('cat', 'cow')
    assert (tmp_path / 'out' / 'labels.csv').read_text() == 'image,label\na,cow\nb,cat\n'
    assert lay_out(source, str(tmp_path / 'out'), classes=['cow']).classes == ('cow',)


class Killed(BaseException):
    pass


@pytest.mark.parametrize('after', range(0, 9, 2))
def test_a_run_that_was_killed_is_made_up_for(tmp_path, monkeypatch, after):
    source = fill(tmp_path / 'photos', [f'{number}.jpg' for number in range(5)])
    lay_out(source, str(tmp_path / 'whole'))
    steps = []

    def killing(step):
        def run(*args, **kwargs):
            if len(steps) == after:
                raise Killed
            steps.append(step)
            return step(*args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(layout, '_link', killing(layout._link))
        patch.setattr(layout, 'atomic_write', killing(layout.atomic_write))
        with pytest.raises(Killed):
            lay_out(source, str(tmp_path / 'out'))
    assert not (tmp_path / 'out' / 'classes.json').exists()
    lay_out(source, str(tmp_path / 'out'))
    for path in (tmp_path / 'whole').rglob('*'):
        if path.is_file():
            assert (tmp_path / 'out' / path.relative_to(tmp_path / 'whole')).read_bytes() == path.read_bytes()


@pytest.mark.parametrize('without', ['symlink', 'symlink and link'])
def test_disks_without_links(tmp_path, monkeypatch, without):
    def refuse(*args, **kwargs):
        raise OSError(errno.EPERM, 'no links here')

    source = fill(tmp_path / 'photos', ['a.jpg', 'b.jpg', 'c.jpg'])
    for name in without.split(' and '):
        monkeypatch.setattr(os, name, refuse)
    lay_out(source, str(tmp_path / 'out'))
    path = tmp_path / 'out' / 'JPEGImages' / 'a.jpg'
    assert not path.is_symlink() and path.read_bytes() == (tmp_path / 'photos' / 'a.jpg').read_bytes()
    files = files_of(tmp_path / 'out')
    lay_out(source, str(tmp_path / 'out'))
    assert files_of(tmp_path / 'out') == files


def test_a_folder_that_moved_is_linked_anew(tmp_path):
    lay_out(fill(tmp_path / 'photos', ['a.jpg', 'b.jpg']), str(tmp_path / 'out'))
    shutil.move(tmp_path / 'photos', tmp_path / 'moved')
    lay_out(str(tmp_path / 'moved'), str(tmp_path / 'out'))
    assert (tmp_path / 'out' / 'JPEGImages' / 'a.jpg').is_file()


@pytest.mark.parametrize('as_lists', [True, False])
def test_splits_of_the_user_hold(tmp_path, as_lists):
    root = tmp_path / 'photos'
    if as_lists:
        names = {f'{number}.jpg': split for number, split in enumerate(['train', 'val', 'test', 'train', None])}
        fill(root, [*names])
        (root / 'ImageSets').mkdir()
        for split, listed in (('train', '0\n3.jpg\n'), ('valid', '1\n3\n'), ('test', 'photos/2.jpg\n')):
            (root / 'ImageSets' / f'{split}.txt').write_text(listed)
    else:
        names = {'train/a/1.jpg': 'train', 'train/b/1.jpg': 'train', 'valid/a/2.jpg': 'val', 'test/b/1.jpg': 'test'}
        fill(root, [*names])
    found = lay_out(str(root), str(tmp_path / 'out'))
    splits = {photo: split for photo, (_, split) in read_splits(tmp_path / 'out').items()}
    assert splits == {photo: split for photo, split in names.items() if split}
    assert ('1 photos are in no list and left out' in found.notes) == as_lists
    assert found.counts['test'][''] == 1


def test_two_photos_are_one_to_train_with_and_one_to_validate_on(tmp_path):
    for number in range(3):
        found = lay_out(
            fill(tmp_path / f'{number}', [f'{number}a.jpg', f'{number}b.jpg']), str(tmp_path / f'o{number}')
        )
        assert {split: count[''] for split, count in found.counts.items()} == dict(train=1, val=1)
    found = lay_out(fill(tmp_path / 'one', ['a.jpg']), str(tmp_path / 'out'))
    assert found.counts['train'][''] == 1 and 'val' not in found.counts


def write_masks(root, names, rows, folder='masks'):
    (root / folder).mkdir(exist_ok=True)
    for name in names:
        mask = np.zeros((4, 6), np.uint8)
        mask[: len(rows)] = np.array(rows)[:, None]
        Image.fromarray(mask).save(root / folder / f'{name}.png')


def stored(out, name):
    return sorted(set(np.asarray(Image.open(out / 'SegmentationClass' / f'{name}.png')).ravel().tolist()))


def test_masks_are_linked_or_written_with_the_values_of_the_classes(tmp_path):
    root, out = tmp_path / 'photos', tmp_path / 'out'
    fill(root, ['a.jpg', 'b.jpg'])
    write_masks(root, 'ab', [1, 2, 255])
    found = lay_out(str(root), str(out))
    assert found.mask_values == (1, 2) and (out / 'SegmentationClass' / 'a.png').is_symlink()
    assert (
        'values in masks are taken as 1 cat, 2 dog; a classes.txt with a name a line would say otherwise' in found.notes
    )

    # named by a file, and one of the classes is not wanted
    (root / 'classes.txt').write_text('background\nfox\ncat\ndog\n')
    write_masks(root, 'ab', [1, 2, 3])
    found = lay_out(str(root), str(out))
    assert found.mask_values == (2, 3) and stored(out, 'a') == [0, 2, 3]
    assert not (out / 'SegmentationClass' / 'a.png').is_symlink()

    (root / 'classes.txt').unlink()
    found = lay_out(str(root), str(out), classes=['cat', 'dog'], mask_values=[3, 1])
    assert found.mask_values == (3, 1) and stored(out, 'b') == [0, 1, 3]


def test_masks_of_one_class_may_be_black_and_white(tmp_path):
    root, out = tmp_path / 'photos', tmp_path / 'out'
    fill(root, ['a.jpg', 'b.jpg'], ['cat'])
    write_masks(root, 'ab', [255, 255])
    assert lay_out(str(root), str(out)).mask_values == (1,) and stored(out, 'a') == [0, 1]
    files = files_of(out)
    (root / 'new.txt').write_text('x')  # something changed, but no mask
    lay_out(str(root), str(out))
    assert {name: stat for name, stat in files_of(out).items() if name != 'classes.json'} == {
        name: stat for name, stat in files.items() if name != 'classes.json'
    }


def test_masks_that_cannot_be_used_are_told(tmp_path):
    root = tmp_path / 'photos'
    fill(root, ['train/a.jpg', 'train/c.jpg', 'val/b.jpg'])
    write_masks(root, 'a', [1])
    found = lay_out(str(root), str(tmp_path / '1'))
    assert '1 of 1 photos to validate on have no mask: masks are not used' in found.notes
    write_masks(root, 'abc', [7, 9])
    found = lay_out(str(root), str(tmp_path / '2'))
    assert any(note.startswith('masks have the values 7, 9, and no classes.txt') for note in found.notes)
    assert not (tmp_path / '2' / 'SegmentationClass').exists()


def test_photos_with_masks_are_those_to_validate_on(tmp_path):
    root, out = tmp_path / 'photos', tmp_path / 'out'
    fill(root, [f'{number}.jpg' for number in range(30)])
    masked = [str(number) for number in range(0, 30, 5)]
    write_masks(root, masked, [1, 2])
    found = lay_out(str(root), str(out))
    val = {photo for photo, (_, split) in read_splits(out).items() if split == 'val'}
    assert val and val < {f'{name}.jpg' for name in masked}
    assert len(list((out / 'SegmentationClass').iterdir())) == 6 and found.mask_values == (1, 2)


def test_three_hundred_classes(tmp_path):
    names = [f'{number}.jpg' for number in range(300)]
    (tmp_path / 'photos').mkdir()
    for name in names:
        (tmp_path / 'photos' / name).write_bytes(b'')
    write_tags(tmp_path / 'photos', {name: f'class {name}' for name in names})
    found = lay_out(str(tmp_path / 'photos'), str(tmp_path / 'out'))
    assert len(found.classes) == 300 and found.mask_values is None and 'mask_values' not in found.metainfo
    assert '… 270 more' in found.text()


def test_wrong_folders(tmp_path):
    source = fill(tmp_path / 'photos', ['a.jpg', 'b.jpg'])
    with pytest.raises(InputError, match=r'the folder of the photos itself; name another to write to'):
        lay_out(source, source)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'thesis.doc').write_text('x')
    with pytest.raises(InputError, match=r'out: it has other files, such as thesis.doc; name a new folder'):
        lay_out(source, str(tmp_path / 'out'))
    with pytest.raises(InputError, match=r'--val-ratio 1: it lies in'):
        lay_out(source, str(tmp_path / 'new'), val_ratio=1)
    write_tags(tmp_path / 'photos', {'a.jpg': '["x;y"]', 'b.jpg': 'x'})
    with pytest.raises(InputError, match=r"the class 'x;y' has a \";\", which stands between labels; rename it"):
        lay_out(source, str(tmp_path / 'new'))
    (tmp_path / 'new').mkdir(exist_ok=True)
    (tmp_path / 'new' / 'classes.json').write_text('{')
    with pytest.raises(DatasetError, match=r'classes.json: broken .*; remove it'):
        folder_metainfo(str(tmp_path / 'new'))


def test_a_layout_below_the_photos_is_no_photo_of_them(tmp_path):
    source = fill(tmp_path / 'photos', ['a.jpg', 'b.jpg'])
    for out in ('out', 'other'):
        lay_out(source, str(tmp_path / 'photos' / out))
    assert len(read_splits(tmp_path / 'photos' / 'other')) == 2


def test_the_tool_prints_what_it_found(tmp_path, load_tool, capsys):
    tool = load_tool('dataset_converters/photos.py')
    source = fill(tmp_path / 'photos', ['a.jpg', 'b.jpg', 'c.jpg'], ['big, red', 'dog'])
    tool.main([source, '--out', str(tmp_path / 'out'), '--classes', '"big, red",dog', '--val-ratio', '0'])
    text = capsys.readouterr().out
    assert 'tags: a CSV with the header image,label or with a column a class (tags.csv)' in text
    assert [line.split() for line in text.splitlines() if line.startswith('|')] == [
        ['|', 'class', '|', 'train', '|'],
        ['|', 'big,', 'red', '|', '2', '|'],
        ['|', 'dog', '|', '1', '|'],
        ['|', 'photos', '|', '3', '|'],
    ]
    assert json.loads((tmp_path / 'out' / 'classes.json').read_text())['classes'] == ['big, red', 'dog']
    with pytest.raises(SystemExit) as caught:
        tool.main([str(tmp_path / 'nowhere'), '--out', str(tmp_path / 'out')])
    assert str(caught.value) == f'{tmp_path}/nowhere: no such folder; name the folder of your photos'
    with pytest.raises(SystemExit):
        tool.main([source, '--out', str(tmp_path / 'out'), '--mask-values', '1'])
