import csv
import json

import numpy as np
import pytest
from PIL import Image

from mmamr.experiments.photo_sample import PhotoSample
from mmamr.utils import InputError

METAINFO = dict(classes=('disc', 'square', 'cross'), mask_values=(3, 7, 8))
SIZES = dict(photos=4, new=2, more=1)


@pytest.fixture
def voc(make_voc):
    return make_voc(mask_values=METAINFO['mask_values'], num_images=27, num_val=9)


def sample(voc, folder, seed=0, **changes):
    options = dict(data_root=str(voc), metainfo=METAINFO, classes=('cross', 'disc'), sizes=SIZES)
    return PhotoSample(str(folder), seed, **{**options, **changes})


def tags(drawn):
    with open(drawn.path('photos', 'tags.csv'), encoding='utf-8') as file:
        return {name: labels.split(';') for name, labels in list(csv.reader(file))[1:]}


def test_draws_photos_of_some_classes(voc, tmp_path):
    drawn = sample(voc, tmp_path / 'sample')
    drawn.draw()
    parts = {name: set(drawn.ids(name)) for name in SIZES}
    assert {name: len(ids) for name, ids in parts.items()} == SIZES
    lists = {
        split: set((voc / f'ImageSets/Segmentation/{split}.txt').read_text().split()) for split in ('train', 'val')
    }
    assert parts['photos'] <= lists['train'] and parts['new'] | parts['more'] <= lists['val']
    assert not parts['new'] & parts['more']
    rows = tags(drawn)
    assert {name.partition('.')[0] for name in rows} == parts['photos']
    assert {label for labels in rows.values() for label in labels} == {'cross', 'disc'}
    for img_id in set().union(*parts.values()):
        theirs = np.asarray(Image.open(voc / 'SegmentationClass' / f'{img_id}.png'))
        expected = np.select([theirs == 8, theirs == 3, theirs == 255], [1, 2, 255], 0)
        assert np.array_equal(drawn.truth.read(img_id), expected)


def test_depends_on_the_seed_alone_and_is_drawn_once(voc, tmp_path):
    first, again, other = (sample(voc, tmp_path / name, seed) for name, seed in (('a', 0), ('b', 0), ('c', 1)))
    for one in (first, again, other):
        one.draw()
    assert tags(first) == tags(again) != tags(other)
    (tmp_path / 'a' / 'photos' / 'tags.csv').write_text('mine')
    first.draw()
    assert (tmp_path / 'a' / 'photos' / 'tags.csv').read_text() == 'mine'
    # one that was killed on the way is drawn anew
    (tmp_path / 'a' / 'drawn').unlink()
    first.draw()
    assert tags(first) == tags(again)


def test_too_few_photos(voc, tmp_path):
    with pytest.raises(InputError, match='photos of cross, disc for photos, but 40 are wanted: name another'):
        sample(voc, tmp_path / 'sample', sizes=dict(SIZES, photos=40)).draw()


def test_measures_by_the_names_of_the_classes(voc, tmp_path):
    """A pipeline that met the classes in another order has other values in its masks."""
    drawn = sample(voc, tmp_path / 'sample')
    drawn.draw()
    (tmp_path / 'layout').mkdir()
    (tmp_path / 'masks').mkdir()
    layout = dict(classes=['disc', 'cross'], mask_values=[1, 2])
    (tmp_path / 'layout' / 'classes.json').write_text(json.dumps(layout))
    ids = drawn.ids('new')
    for img_id in ids:
        truth = drawn.truth.read(img_id)
        Image.fromarray(np.choose(truth % 255, [0, 2, 1]).astype(np.uint8)).save(tmp_path / 'masks' / f'{img_id}.png')
    arguments = str(tmp_path / 'masks'), str(tmp_path / 'layout'), ids
    assert drawn.measure(*arguments) == pytest.approx(100)
    Image.fromarray(np.zeros_like(truth)).save(tmp_path / 'masks' / f'{ids[-1]}.png')
    assert drawn.measure(*arguments) < 90
    (tmp_path / 'layout' / 'classes.json').write_text(json.dumps(dict(layout, classes=['disc', 'square'])))
    with pytest.raises(InputError, match='not laid out with the classes cross, disc'):
        drawn.measure(*arguments)
