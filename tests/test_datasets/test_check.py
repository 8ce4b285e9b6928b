import shutil

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import UnlabelledDataset, check_dataset, datasets_of_config

METAINFO = dict(classes=('disc', 'square', 'cross'))


def lazy(root, **kwargs):
    return ImageLabelDataset(
        data_root=root, **{'metainfo': METAINFO, 'mask_dir': 'SegmentationClass', **kwargs}, lazy_init=True
    )


def spoil(root):
    """One of everything that can be wrong with an image, its mask or its labels."""
    images, masks, annotations = (root / name for name in ('JPEGImages', 'SegmentationClass', 'Annotations'))
    (images / 'img_00.jpg').unlink()
    (images / 'img_01.jpg').write_bytes((images / 'img_01.jpg').read_bytes()[:-400])
    (annotations / 'img_02.xml').unlink()
    (annotations / 'img_03.xml').write_text('<annotation><object><name>unicorn</name></object></annotation>')
    Image.new('L', (9, 9)).save(masks / 'img_04.png')
    Image.new('L', (48, 64), 77).save(masks / 'img_05.png')
    (masks / 'img_06.png').unlink()
    (masks / 'img_07.png').write_bytes(b'')
    split = root / 'ImageSets' / 'Segmentation' / 'train.txt'
    split.write_text(split.read_text() + '../img_08\nimg_01\n')


KINDS = [
    'id is a path',
    'duplicate id',
    'missing image',
    'broken image',
    'missing label',
    'unknown class',
    'mask of another size',
    'unknown mask value',
    'missing mask',
    'broken mask',
]


@pytest.mark.parametrize('num_procs', [1, 2])
def test_everything_at_once(tiny_voc, num_procs):
    spoil(tiny_voc)
    report = check_dataset(lazy(tiny_voc), num_procs)
    assert [problem.kind for problem in report.problems] == KINDS
    assert report.num_images == 8
    assert report.class_counts == dict(disc=2, square=4, cross=2)
    text = report.text()
    assert '8 images, 3 of 3 classes, 8 pairs' in text
    for problem in report.problems:
        assert f'[{problem.kind}] {problem}' in text
        assert len(str(problem).splitlines()) == 1


def test_nothing_wrong(tiny_voc):
    report = check_dataset(lazy(tiny_voc))
    assert report.problems == [] and 'no problems' in report.text()


def test_long_lists_are_cut(tiny_voc):
    for path in (tiny_voc / 'JPEGImages').glob('img_0[1-7].jpg'):
        path.unlink()
    report = check_dataset(lazy(tiny_voc))
    assert report.text(limit=3).count('no such image') == 3 and '... and 4 more' in report.text(limit=3)
    assert report.text(limit=0).count('no such image') == 7


def test_masks_that_give_the_labels_are_reported_once(tiny_voc):
    spoil(tiny_voc)
    report = check_dataset(lazy(tiny_voc, labels=dict(type='MaskLabels')))
    kinds = [problem.kind for problem in report.problems]
    assert kinds == [kind for kind in KINDS if kind not in ('missing label', 'unknown class')]


def test_lists_and_tables_that_are_missing(tiny_voc):
    report = check_dataset(lazy(tiny_voc, split='none.txt', labels=dict(type='CSVLabels', file='none.csv')))
    assert [problem.kind for problem in report.problems] == ['missing list', 'missing label']
    report = check_dataset(lazy(tiny_voc, labels=dict(type='CSVLabels', file='none.csv')))
    assert [problem.kind for problem in report.problems] == ['missing label']
    (tiny_voc / 'empty.txt').write_text('\n')
    assert [problem.kind for problem in check_dataset(lazy(tiny_voc, split='empty.txt')).problems] == ['empty list']


def test_all_images_without_labels(tiny_voc):
    for path in (tiny_voc / 'Annotations').iterdir():
        path.write_text('<annotation/>')
    report = check_dataset(lazy(tiny_voc))
    assert [problem.kind for problem in report.problems] == ['no labels']
    (tiny_voc / 'one.csv').write_text('image,label\n' + ''.join(f'img_{i:02d},\n' for i in range(7)) + 'img_07,disc\n')
    assert not check_dataset(lazy(tiny_voc, labels=dict(type='CSVLabels', file='one.csv'))).problems


def test_datasets_of_a_config(tiny_voc):
    train = dict(type='ImageLabelDataset', data_root=str(tiny_voc), metainfo=METAINFO, pipeline=[])
    test = dict(train, mask_dir='SegmentationClass', test_mode=True)
    val = dict(train, split='ImageSets/Segmentation/val.txt')
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=dict(type='RepeatDataset', times=2, dataset=train)),
            val_dataloader=dict(dataset=val),
            test_dataloader=dict(dataset=test),
        )
    )
    found = datasets_of_config(cfg)
    assert sorted(found) == ['train_dataloader, test_dataloader', 'val_dataloader']
    assert found['train_dataloader, test_dataloader'].data_prefix['seg_map_path'].endswith('SegmentationClass')
    other = Config(dict(train_dataloader=dict(dataset=dict(type='BaseDataset')), val_dataloader=None))
    assert datasets_of_config(other) == {}
    both = Config(dict(train_dataloader=dict(dataset=dict(test, mask_dir='Other')), test_dataloader=dict(dataset=test)))
    assert sorted(datasets_of_config(both)) == ['test_dataloader', 'train_dataloader']


def suspicious(report):
    """Kind to line of what is suspicious but no problem."""
    assert report.problems == [] and 'no problems' in report.text()
    for warning in report.warnings:
        assert f'[suspicious: {warning.kind}] {warning}' in report.text() and '\n' not in str(warning)
    return {warning.kind: str(warning) for warning in report.warnings}


def test_few_photos_of_a_class(tiny_voc):
    assert suspicious(check_dataset(lazy(tiny_voc)))['few photos'].endswith(
        'fewer than 20 photos of a class: disc 3, square 4, cross 3'
    )
    assert suspicious(check_dataset(lazy(tiny_voc), trains=False)) == {}


def test_masks_of_0_and_255_alone(tiny_voc):
    metainfo = dict(classes=('disc', 'square', 'cross'))
    for path in (tiny_voc / 'SegmentationClass').iterdir():
        mask = np.asarray(Image.open(path))
        Image.fromarray(np.where(mask == 0, 0, 255).astype(np.uint8)).save(path)
    found = suspicious(check_dataset(lazy(tiny_voc, metainfo=metainfo), trains=False))
    assert set(found) == {'masks of 0 and 255', 'class in no mask'}
    assert 'all 8 masks have the values 0 and 255 alone, and 255 does not count' in found['masks of 0 and 255']
    assert 'disc, square, cross in the labels, but in none of 8 masks' in found['class in no mask']
    one = dict(classes=('disc',), mask_values=(255,))
    assert suspicious(check_dataset(lazy(tiny_voc, metainfo=one, labels=dict(type='MaskLabels')), trains=False)) == {}


def test_a_tagged_class_that_no_mask_holds(tiny_voc):
    metainfo = dict(classes=('disc', 'square', 'cross', 'ring'), mask_values=(1, 2, 4, 3))
    (tiny_voc / 'labels.csv').write_text('image,label\n' + ''.join(f'img_{i:02d},disc;cross\n' for i in range(8)))
    labels = dict(type='CSVLabels', file='labels.csv')
    found = suspicious(check_dataset(lazy(tiny_voc, metainfo=metainfo, labels=labels)))
    assert ': cross in the labels, but in none of 8 masks; see mask_values' in found['class in no mask']
    assert ': all 8 images have the same labels (disc, cross), which tells nothing apart' in found['one label']
    assert found['few photos'].endswith('disc 8, square 0, cross 8, ring 0')


def test_oriented_photos(tiny_voc):
    exif = Image.Exif()
    exif[0x0112] = 3
    for name in ('img_02', 'img_05'):
        path = tiny_voc / 'JPEGImages' / f'{name}.jpg'
        Image.open(path).save(path, exif=exif)
    line = suspicious(check_dataset(lazy(tiny_voc), trains=False))['oriented photos']
    assert '2 photos have an EXIF orientation, which is applied, e.g. img_02; masks must fit' in line
    line = suspicious(check_dataset(lazy(tiny_voc, rotate_masks=True), trains=False))['oriented photos']
    assert 'masks must fit the photos as stored' in line
    exif[0x0112] = 6
    Image.open(path).save(path, exif=exif)
    report = check_dataset(lazy(tiny_voc))
    assert [problem.kind for problem in report.problems] == ['mask of another size']
    assert 'rotate_masks=True' in str(report.problems[0])
    assert check_dataset(lazy(tiny_voc, rotate_masks=True)).problems == []


def test_palettes_that_differ(tiny_voc):
    path = tiny_voc / 'SegmentationClass' / 'img_04.png'
    mask = Image.open(path)
    palette = mask.getpalette()
    palette[3:6] = [1, 2, 3]
    palette[6:9] = [3, 2, 1]
    mask.putpalette(palette)
    mask.save(path)
    line = suspicious(check_dataset(lazy(tiny_voc), trains=False))['palettes that differ']
    assert 'value 2 is ' in line and 'in 3 masks, but (3, 2, 1) in 1, e.g. img_04; is it the same class?' in line


def test_names_alike(tiny_voc):
    images, masks, annotations = (tiny_voc / name for name in ('JPEGImages', 'SegmentationClass', 'Annotations'))
    names = ('IMG_01', 'Ka\u0308fer', 'K\u00e4fer')
    for name in names:
        for folder, suffix in ((images, 'jpg'), (masks, 'png'), (annotations, 'xml')):
            shutil.copy(folder / f'img_01.{suffix}', folder / f'{name}.{suffix}')
    split = tiny_voc / 'ImageSets' / 'Segmentation' / 'train.txt'
    split.write_text(split.read_text() + '\n'.join(names))
    line = suspicious(check_dataset(lazy(tiny_voc), trains=False))['names alike']
    assert "'img_01' and 'IMG_01', 'Ka\u0308fer' and 'K\u00e4fer' differ in case or in how an accent" in line


def test_more_classes_than_a_mask_has(tiny_voc):
    metainfo = dict(classes=('disc', 'square', 'cross', *map(str, range(297))))
    assert check_dataset(lazy(tiny_voc, metainfo=metainfo, mask_dir=None)).problems == []
    report = check_dataset(lazy(tiny_voc, metainfo=metainfo))
    assert {problem.kind for problem in report.problems} == {'too many classes'} and len(report.problems) == 8
    assert max(len(line) for line in report.text().splitlines() if line.startswith('[')) < 400


def test_lists_of_segmentation_models_and_affinity_labels(tiny_voc):
    root = str(tiny_voc)
    segmentation = dict(type='mmamr.SegmentationDataset', data_root=root, metainfo=METAINFO)
    val = dict(dataset=dict(segmentation, split='ImageSets/Segmentation/val.txt'))
    cfg = Config(
        dict(
            default_scope='mmseg',
            train_dataloader=dict(dataset=dict(segmentation, label_dir='{pseudo_label.out_dir}')),
            val_dataloader=val,
            test_dataloader=val,
        )
    )
    found = datasets_of_config(cfg)
    assert sorted(found) == ['train_dataloader', 'val_dataloader, test_dataloader']
    assert all(isinstance(dataset, UnlabelledDataset) for dataset in found.values())
    assert 'seg_map_path' not in found['train_dataloader'].data_prefix
    (tiny_voc / 'SegmentationClass' / 'img_09.png').unlink()
    shutil.rmtree(tiny_voc / 'Annotations')
    kinds = {name: [one.kind for one in check_dataset(dataset).problems] for name, dataset in found.items()}
    assert kinds == {'train_dataloader': [], 'val_dataloader, test_dataloader': ['missing mask']}
    affinity = dict(
        type='mmamr.AffinityLabelDataset', data_root=root, metainfo=METAINFO, label_dir=str(tiny_voc / 'no')
    )
    found = datasets_of_config(Config(dict(train_dataloader=dict(dataset=affinity))))
    assert {one.kind for one in check_dataset(found['train_dataloader']).problems} == {'missing mask'}
