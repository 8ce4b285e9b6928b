import os.path as osp
import pickle

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch._utils import ExceptionWrapper

from mmamr.datasets import ImageLabelDataset
from mmamr.registry import DATASETS
from mmamr.structures import VOC_CLASSES
from mmamr.utils import DatasetError

METAINFO = dict(classes=('disc', 'square', 'cross'))


def build(root, **kwargs):
    init_default_scope('mmamr')
    cfg = dict(type='ImageLabelDataset', data_root=str(root), metainfo=METAINFO, serialize_data=False)
    return DATASETS.build({**cfg, **kwargs})


def test_items(tiny_voc):
    dataset = build(tiny_voc, mask_dir='SegmentationClass', serialize_data=True)
    assert isinstance(dataset, ImageLabelDataset) and len(dataset) == 8
    assert dataset.get_data_info(4) == dict(
        img_id='img_04',
        img_path=osp.join(tiny_voc, 'JPEGImages', 'img_04.jpg'),
        seg_map_path=osp.join(tiny_voc, 'SegmentationClass', 'img_04.png'),
        gt_label=[1, 2],
        sample_idx=4,
        rotate_masks=False,
        max_long_side=1024,
    )
    assert dataset.get_cat_ids(4) == [1, 2]
    assert [dataset.get_image_size(i) for i in range(3)] == [(48, 64), (64, 48), (56, 56)]
    assert build(tiny_voc).get_data_info(0)['seg_map_path'] is None


def test_metainfo(tiny_voc):
    dataset = build(tiny_voc, metainfo=Config(dict(classes=('disc', 'square', 'cross'), mask_values=(3, 5, 7))))
    assert dataset.metainfo['mask_values'] == dataset.class_index.mask_values == (3, 5, 7)
    assert dataset.metainfo['classes'] == METAINFO['classes'] and len(dataset.metainfo['palette']) == 4
    assert build(tiny_voc, metainfo=None, lazy_init=True).metainfo['classes'] == VOC_CLASSES


def test_pipeline_and_options_of_mmengine(tiny_voc):
    dataset = build(
        tiny_voc,
        split='ImageSets/Segmentation/val.txt',
        indices=2,
        test_mode=True,
        pipeline=[dict(type='LoadImage'), dict(type='Resize', scale=(20, 10))],
    )
    assert len(dataset) == 2
    assert dataset[1]['img'].shape == (10, 20, 3) and dataset[1]['ori_shape'] == (64, 48)


def test_a_split_may_lie_anywhere(tiny_voc, tmp_path):
    (tmp_path / 'mine.txt').write_text('/JPEGImages/img_07.jpg /SegmentationClassAug/img_07.png\nimg_01\n')
    dataset = build(tiny_voc, split=str(tmp_path / 'mine.txt'))
    assert [dataset.get_data_info(i)['img_id'] for i in range(2)] == ['img_07', 'img_01']


def test_labels_choose(tiny_voc, tmp_path):
    (tmp_path / 'labels.csv').write_text('image,label\n' + ''.join(f'img_{i:02d},cross\n' for i in range(8)))
    for labels, expected in (
        (dict(type='VOCXMLLabels', difficult=False), [0]),
        (dict(type='MaskLabels'), [0, 1]),
        (dict(type='CSVLabels', file=str(tmp_path / 'labels.csv')), [2]),
    ):
        dataset = build(tiny_voc, labels=labels)
        assert dataset.get_data_info(0)['gt_label'] == expected
        assert dataset[0]['gt_label'] == expected


def test_labels_of_masks_wait_until_the_image_is_met(tiny_voc):
    (tiny_voc / 'SegmentationClass' / 'img_03.png').write_bytes(b'broken')
    dataset = build(tiny_voc, labels=dict(type='MaskLabels'))
    assert dataset.get_image_size(3) == (40, 72)
    with pytest.raises(DatasetError, match=r'img_03.png: broken mask'):
        dataset[3]


def test_suffixes(tiny_voc):
    images = tiny_voc / 'JPEGImages'
    (images / 'img_00.jpg').rename(images / 'img_00.JPG')
    (images / 'img_01.jpg').rename(images / 'img_01.jpeg')
    (images / 'img_02.jpg').rename(images / 'img_02.png')
    dataset = build(tiny_voc)
    names = [osp.basename(dataset.get_data_info(i)['img_path']) for i in range(4)]
    assert names == ['img_00.JPG', 'img_01.jpeg', 'img_02.png', 'img_03.jpg']
    with pytest.raises(DatasetError, match=r'img_00.jpg: no such image'):
        build(tiny_voc, img_suffix='.jpg')
    (images / 'img_00.JPG').rename(images / 'img_00_small.jpg')
    (tiny_voc / 'one.txt').write_text('img_00')
    assert build(tiny_voc, split='one.txt', img_suffix='_small.jpg').get_image_size(0) == (48, 64)


def test_masks_may_be_partial(tiny_voc):
    (tiny_voc / 'SegmentationClass' / 'img_01.png').unlink()
    with pytest.raises(DatasetError, match=r'img_01.png: no such mask; .*partial_masks=True') as caught:
        build(tiny_voc, mask_dir='SegmentationClass')
    assert caught.value.kind == 'missing mask'
    dataset = build(tiny_voc, mask_dir='SegmentationClass', partial_masks=True)
    assert [dataset.get_data_info(i)['seg_map_path'] is None for i in range(3)] == [False, True, False]
    with pytest.raises(DatasetError, match=r'no such mask'):
        build(tiny_voc, mask_dir='Nowhere', partial_masks=True)


def break_image(root):
    (root / 'JPEGImages' / 'img_02.jpg').unlink()


def break_xml(root):
    (root / 'Annotations' / 'img_02.xml').unlink()


def break_list(root):
    (root / 'ImageSets' / 'Segmentation' / 'train.txt').write_text('')


def break_labels(root):
    for path in (root / 'Annotations').iterdir():
        path.write_text('<annotation/>')


def break_id(root):
    (root / 'ImageSets' / 'Segmentation' / 'train.txt').write_text('../../img_02\n')


@pytest.mark.parametrize(
    'damage, message',
    [
        (break_image, r'img_02.jpg: no such image; put it there or drop it from .*train.txt'),
        (break_xml, r'img_02.xml: no such annotation'),
        (break_list, r'train.txt: empty list'),
        (break_labels, r'Annotations: none of the images in .*train.txt has a label; check'),
        (break_id, r"train.txt, line 1: the id '../../img_02' is a path"),
    ],
)
def test_a_wrong_data_set_ends_with_one_line(tiny_voc, damage, message):
    damage(tiny_voc)
    with pytest.raises(DatasetError, match=message) as caught:
        build(tiny_voc)
    assert len(str(caught.value).splitlines()) == 1 and 'check_dataset.py' in str(caught.value)


def test_wrong_classes_and_folders(tiny_voc):
    with pytest.raises(DatasetError, match=r"img_00.xml: unknown class 'square', the classes are disc"):
        build(tiny_voc, metainfo=dict(classes=('disc',)))
    with pytest.raises(DatasetError, match=r'Photos: no folder with images; set data_root and img_dir'):
        build(tiny_voc, img_dir='Photos')
    with pytest.raises(DatasetError, match=r'there is no folder'):
        build(tiny_voc / 'nowhere')


def test_a_worker_process_ends_with_one_line_too(tiny_voc):
    dataset = build(tiny_voc, pipeline=[dict(type='LoadImage')])
    path = tiny_voc / 'JPEGImages' / 'img_00.jpg'
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DatasetError, match=r'truncated or broken image') as caught:
        dataset[0]
    assert caught.value.line == str(caught.value)
    with pytest.raises(DatasetError, match=r'Traceback') as wrapped:
        # What a DataLoader does with an exception in a worker.
        ExceptionWrapper((caught.type, caught.value, caught.tb), where='in DataLoader worker process 0').reraise()
    assert wrapped.value.line == caught.value.line


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(DatasetError('a: b', kind='c')))
    assert str(error) == 'a: b' and error.kind == 'c'


def test_making_it_decodes_nothing(tiny_voc):
    """Files that are no images pass until they are met."""
    for folder in ('JPEGImages', 'SegmentationClass'):
        for path in (tiny_voc / folder).iterdir():
            path.write_bytes(b'')
    dataset = build(tiny_voc, mask_dir='SegmentationClass', pipeline=[dict(type='LoadImage')])
    assert len(dataset) == 8
    with pytest.raises(DatasetError, match=r'img_00.jpg: truncated or broken image'):
        dataset[0]


def test_real_photos(voc_animals):
    metainfo = dict(classes=('cat', 'cow', 'dog', 'horse', 'sheep'), mask_values=(8, 10, 12, 13, 17))
    xml = build(voc_animals, metainfo=metainfo, mask_dir='SegmentationClass')
    masks = build(voc_animals, metainfo=metainfo, labels=dict(type='MaskLabels'))
    assert len(xml) == 800
    assert [xml.get_cat_ids(i) for i in range(0, 800, 40)] == [masks.get_cat_ids(i) for i in range(0, 800, 40)]
