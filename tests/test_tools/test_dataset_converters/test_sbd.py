import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mmamr.datasets import ImageLabelDataset
from mmamr.structures import voc_palette


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/sbd.py').main


def write_mat(path, mask):
    # As SBD has it: a struct GTcls with Boundaries, Segmentation and CategoriesPresent.
    present = np.unique(mask)[1:]
    savemat(path, dict(GTcls=dict(Boundaries=np.zeros((20, 1)), Segmentation=mask, CategoriesPresent=present)))


@pytest.fixture
def roots(tiny_voc, tmp_path):
    """VOC with four train and two val masks, and SBD with six images, one of them in each of VOC's lists."""
    lists = tiny_voc / 'ImageSets' / 'Segmentation'
    (lists / 'train.txt').write_text('img_00\nimg_01\nimg_02\nimg_03\n')
    (lists / 'val.txt').write_text('img_04\nimg_05\n')
    for i in range(6, 12):
        (tiny_voc / 'SegmentationClass' / f'img_{i:02d}.png').unlink()
    sbd = tmp_path / 'benchmark_RELEASE' / 'dataset'
    (sbd / 'cls').mkdir(parents=True)
    ids = ['img_03', 'img_05', 'img_06', 'img_07', 'img_08', 'img_09']
    (sbd / 'train.txt').write_text('\n'.join(ids[::2]) + '\n')
    (sbd / 'val.txt').write_text('\n'.join(ids[1::2]) + '\n')
    for img_id in ids:
        height, width = np.asarray(Image.open(tiny_voc / 'JPEGImages' / f'{img_id}.jpg')).shape[:2]
        mask = np.zeros((height, width), dtype=np.uint8)
        mask[5:20, 5:20] = 1 + int(img_id[-2:])
        write_mat(sbd / 'cls' / f'{img_id}.mat', mask)
    return tiny_voc, sbd.parent


def run(main, roots, *more):
    return main([str(roots[0]), str(roots[1]), '--nproc', '2', *more])


def test_masks_and_list(main, roots, capsys):
    voc, _ = roots
    assert run(main, roots) == 0
    out = capsys.readouterr().out
    assert '10 masks in' in out and '8 images in' in out and '10582' in out
    listed = (voc / 'ImageSets' / 'Segmentation' / 'train_aug.txt').read_text().split()
    assert listed == [f'img_{i:02d}' for i in (0, 1, 2, 3, 6, 7, 8, 9)]
    aug = voc / 'SegmentationClassAug'
    assert len(list(aug.iterdir())) == 10

    made = Image.open(aug / 'img_07.png')
    assert made.mode == 'P' and made.getpalette() == voc_palette().ravel().tolist()
    assert np.unique(made).tolist() == [0, 8]
    # VOC's own mask, with its border of 255, wins where both have one.
    for img_id in ('img_03', 'img_05'):
        assert (
            np.asarray(Image.open(aug / f'{img_id}.png'))
            == np.asarray(Image.open(voc / 'SegmentationClass' / f'{img_id}.png'))
        ).all()

    dataset = ImageLabelDataset(
        data_root=voc,
        split='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClassAug',
        labels=dict(type='MaskLabels', mask_dir='SegmentationClassAug'),
    )
    assert dataset.get_cat_ids(7) == [9]


def test_a_second_run_remakes_what_is_broken_only(main, roots):
    assert run(main, roots) == 0
    aug = roots[0] / 'SegmentationClassAug'
    whole = (aug / 'img_08.png').read_bytes()
    before = {path.name: path.stat().st_mtime_ns for path in aug.iterdir()}
    (aug / 'img_08.png').write_bytes(whole[:40])
    (aug / 'img_09.png').unlink()
    assert run(main, roots) == 0
    after = {path.name: path.stat().st_mtime_ns for path in aug.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {'img_08.png', 'img_09.png'}
    assert (aug / 'img_08.png').read_bytes() == whole


def test_what_is_missing_or_broken_is_named(main, roots, capsys):
    voc, sbd = roots
    cls = sbd / 'dataset' / 'cls'
    (cls / 'img_06.mat').unlink()
    (cls / 'img_07.mat').write_bytes(b'no mat file')
    write_mat(cls / 'img_08.mat', np.full((48, 64), 21, dtype=np.uint8))
    write_mat(cls / 'img_09.mat', np.zeros((8, 9), dtype=np.uint8))
    assert run(main, roots, '--out-dir', str(voc / 'Out')) == 1
    out = capsys.readouterr().out
    for message in (
        'img_06.mat: no such annotation',
        'img_07.mat: broken annotation',
        'img_08.mat: not a mask of the',
        'img_09.jpg is 48x64, but its mask 9x8',
        '4 masks could not be made',
    ):
        assert message in out
    assert len(list((voc / 'Out').iterdir())) == 6
    assert not (voc / 'ImageSets' / 'Segmentation' / 'train_aug.txt').exists()
    (sbd / 'dataset' / 'val.txt').write_text('../../etc/passwd\n')
    assert run(main, roots) == 1
    assert 'is a path' in capsys.readouterr().out
