import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import check_dataset, datasets_of_config

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
