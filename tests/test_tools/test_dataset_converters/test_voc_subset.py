import numpy as np
import pytest
from PIL import Image

from mmamr.datasets import ImageLabelDataset
from mmamr.structures import VOC_CLASSES, voc_palette

CAT, DOG, SHEEP, PERSON = (VOC_CLASSES.index(name) + 1 for name in ('cat', 'dog', 'sheep', 'person'))
ANIMALS = ('cat', 'cow', 'dog', 'horse', 'sheep')


@pytest.fixture
def tool(load_tool):
    return load_tool('dataset_converters/voc_subset.py')


def write_image(root, img_id, size, values, sbd=False):
    """A photo of noise, and a mask of vertical stripes of these values."""
    rng = np.random.default_rng(len(img_id))
    photo = Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
    photo.save(root / 'JPEGImages' / f'{img_id}.jpg', quality=95)
    mask = np.repeat(np.resize(values, size[1])[None], size[0], axis=0).astype(np.uint8)
    mask.sort(axis=1)
    image = Image.fromarray(mask)
    image.putpalette(voc_palette().ravel().tolist())
    image.save(root / ('SegmentationClassAug' if sbd else 'SegmentationClass') / f'{img_id}.png')


@pytest.fixture
def devkit(tool, tmp_path, monkeypatch):
    """VOC 2012 with four images, one of them with a mask of SBD alone; the lists of voc-animals name all."""
    root = tmp_path / 'VOCdevkit' / 'VOC2012'
    for name in ('JPEGImages', 'SegmentationClass', 'SegmentationClassAug'):
        (root / name).mkdir(parents=True)
    write_image(root, '2007_000001', (375, 500), [0, CAT, 255])
    write_image(root, '2007_000002', (500, 333), [0, DOG, PERSON])
    write_image(root, '2008_000003', (201, 300), [0, SHEEP, CAT], sbd=True)
    write_image(root, '2008_000004', (240, 320), [0, DOG])
    for name in tool.SUBSETS:
        lists = tmp_path / 'lists' / name
        lists.mkdir(parents=True)
        (lists / 'train.txt').write_text('2007_000002\n2008_000003\n')
        (lists / 'val.txt').write_text('2008_000004\n2007_000001\n')
    monkeypatch.setattr(tool, 'LISTS', str(tmp_path / 'lists'))
    return root.parent


def run(tool, name, devkit, out):
    return tool.main([name, '--voc', str(devkit), '--out', str(out), '--nproc', '1'])


def read(out, img_id):
    mask = Image.open(out / 'SegmentationClass' / f'{img_id}.png')
    assert mask.mode == 'P' and mask.getpalette() == voc_palette().ravel().tolist()
    photo = Image.open(out / 'JPEGImages' / f'{img_id}.jpg')
    assert photo.size == mask.size
    return photo, np.asarray(mask)


def test_animals(tool, devkit, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run(tool, 'voc-animals', devkit, out) == 0
    assert '2 train, 2 val' in capsys.readouterr().out
    expected = {
        '2007_000001': ((320, 240), [0, CAT, 255]),
        # a person is none of these classes
        '2007_000002': ((213, 320), [0, DOG, 255]),
        # smaller photos become larger, too
        '2008_000003': ((320, 214), [0, CAT, SHEEP]),
        '2008_000004': ((320, 240), [0, DOG]),
    }
    for img_id, (size, values) in expected.items():
        photo, mask = read(out, img_id)
        assert photo.size == size and np.unique(mask).tolist() == values
    assert (out / 'ImageSets' / 'Segmentation' / 'val.txt').read_text() == '2008_000004\n2007_000001\n'

    dataset = ImageLabelDataset(
        data_root=out,
        split='ImageSets/Segmentation/train.txt',
        mask_dir='SegmentationClass',
        metainfo=dict(classes=ANIMALS, mask_values=[VOC_CLASSES.index(name) + 1 for name in ANIMALS]),
    )
    assert [dataset.get_cat_ids(index) for index in range(2)] == [[2], [0, 4]]


def test_how_a_photo_and_its_mask_become_smaller(tool, devkit, tmp_path):
    run(tool, 'voc-animals', devkit, tmp_path / 'out')
    photo, mask = read(tmp_path / 'out', '2007_000001')
    source = Image.open(devkit / 'VOC2012' / 'JPEGImages' / '2007_000001.jpg').resize((320, 240), Image.LANCZOS)
    source.save(tmp_path / 'photo.jpg', quality=88)
    np.testing.assert_array_equal(photo, Image.open(tmp_path / 'photo.jpg'))
    stored = Image.open(devkit / 'VOC2012' / 'SegmentationClass' / '2007_000001.png').resize((320, 240), Image.NEAREST)
    np.testing.assert_array_equal(mask, stored)


def test_mixed_enlarges_nothing_and_knows_persons(tool, devkit, tmp_path):
    out = tmp_path / 'out'
    assert run(tool, 'voc-mixed', devkit, out) == 0
    assert read(out, '2008_000003')[0].size == (300, 201)
    photo, mask = read(out, '2007_000002')
    assert photo.size == (213, 320) and np.unique(mask).tolist() == [0, DOG, PERSON]
    assert '<name>person</name>' in (out / 'Annotations' / '2007_000002.xml').read_text()


def test_mini_copies(tool, devkit, tmp_path):
    out = tmp_path / 'out'
    assert run(tool, 'voc07-mini', devkit, out) == 0
    name = 'JPEGImages/2007_000001.jpg'
    assert (out / name).read_bytes() == (devkit / 'VOC2012' / name).read_bytes()


def test_a_second_run_makes_only_what_is_missing_or_broken(tool, devkit, tmp_path):
    out = tmp_path / 'out'
    assert run(tool, 'voc-animals', devkit, out) == 0
    files = {path: path.read_bytes() for path in out.rglob('*.*') if path.suffix != '.txt'}
    assert len(files) == 12
    times = {path: path.stat().st_mtime_ns for path in files}
    (out / 'SegmentationClass' / '2007_000001.png').write_bytes(b'half a fi')
    (out / 'JPEGImages' / '2008_000003.jpg').unlink()
    (out / 'Annotations' / '2008_000004.xml').unlink()
    assert run(tool, 'voc-animals', devkit, out) == 0
    assert {path: path.read_bytes() for path in files} == files
    assert {path.stem for path in files if path.stat().st_mtime_ns != times[path]} == {
        '2007_000001',
        '2008_000003',
        '2008_000004',
    }


@pytest.mark.parametrize(
    'lost, message',
    [
        ('JPEGImages/2007_000002.jpg', '1 of 4 photos are missing, the first is 2007_000002.jpg; unpack'),
        ('SegmentationClassAug/2008_000003.png', '1 of 4 masks are missing, the first is 2008_000003.png; make those'),
    ],
)
def test_what_is_missing_is_told_in_one_line(tool, devkit, tmp_path, capsys, lost, message):
    (devkit / 'VOC2012' / lost).unlink()
    assert run(tool, 'voc-animals', devkit, tmp_path / 'out') == 1
    out = capsys.readouterr().out
    assert message in out and out.count('\n') == 1
    assert run(tool, 'voc-animals', tmp_path / 'nowhere', tmp_path / 'out') == 1
    assert 'no such folder; unpack VOCtrainval' in capsys.readouterr().out
    assert not (tmp_path / 'out').exists()


def test_broken_sources_leave_no_lists(tool, devkit, tmp_path, capsys):
    write_image(devkit / 'VOC2012', '2008_000004', (10, 10), [0, DOG], sbd=False)
    mask = devkit / 'VOC2012' / 'SegmentationClass' / '2007_000001.png'
    Image.open(mask).resize((9, 9)).save(mask)
    (devkit / 'VOC2012' / 'JPEGImages' / '2007_000002.jpg').write_bytes(b'no photo')
    assert run(tool, 'voc-animals', devkit, tmp_path / 'out') == 1
    out = capsys.readouterr().out
    assert '2007_000001.jpg: the photo has another size than its mask' in out
    assert '2007_000002.jpg: truncated or broken image' in out
    assert '2 of 4 images could not be made' in out
    assert not (tmp_path / 'out' / 'ImageSets').exists()


@pytest.mark.parametrize(
    'name, train, val', [('voc07-mini', 205, 217), ('voc-animals', 800, 200), ('voc-mixed', 895, 280)]
)
def test_lists_in_the_repository(tool, name, train, val):
    ids = {
        split: (tool.osp.join(tool.LISTS, name, f'{split}.txt'), count)
        for split, count in (('train', train), ('val', val))
    }
    members = {split: tool.read_ids(path) for split, (path, _) in ids.items()}
    assert {split: len(found) for split, found in members.items()} == dict(train=train, val=val)
    assert not set(members['train']) & set(members['val'])
    assert set(tool.SUBSETS[name].classes) <= set(VOC_CLASSES)
