import numpy as np
import pytest
from mmengine.registry import DATASETS as ROOT
from mmengine.registry import DefaultScope
from PIL import Image

from mmamr.datasets import LoadMask
from mmamr.registry import DATASETS
from mmamr.utils import DatasetError

METAINFO = dict(classes=('disc', 'square', 'cross'), mask_values=(8, 10, 12))
PIPELINE = [dict(type='LoadImage'), dict(type='LoadMask')]


def build(root, **kwargs):
    args = dict(
        type='SegmentationDataset',
        data_root=str(root),
        ann_file='ImageSets/Segmentation/train.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=METAINFO,
        pipeline=PIPELINE,
        _scope_='mmamr',
    )
    return DATASETS.build({**args, **kwargs})


@pytest.fixture
def voc(make_voc):
    return make_voc(mask_values=METAINFO['mask_values'])


def test_masks_become_training_indices(voc):
    dataset = build(voc)
    assert len(dataset) == 8
    assert dataset.metainfo['classes'] == ('background', 'disc', 'square', 'cross')
    assert len(dataset.metainfo['palette']) == 4
    for i in range(8):
        item = dataset[i]
        stored = np.asarray(Image.open(item['seg_map_path']))
        assert item['gt_seg_map'].shape == item['img'].shape[:2] == stored.shape
        for value, index in ((0, 0), (8, 1), (10, 2), (12, 3), (255, 255)):
            assert ((stored == value) == (item['gt_seg_map'] == index)).all()
        assert item['seg_fields'] == ['gt_seg_map']


def test_only_the_folder_says_whose_masks(voc, tmp_path):
    pseudo = tmp_path / 'elsewhere'
    pseudo.mkdir()
    for path in (voc / 'SegmentationClass').iterdir():
        Image.fromarray(np.full(Image.open(path).size[::-1], 10, np.uint8)).save(pseudo / path.name)
    dataset = build(voc, data_prefix=dict(img_path='JPEGImages', seg_map_path=str(pseudo)))
    assert (dataset[0]['gt_seg_map'] == 2).all()


def test_arguments_are_those_of_the_other_data_sets(voc, tmp_path, monkeypatch):
    settings = dict(data_root=str(voc), split='ImageSets/Segmentation/val.txt', metainfo=METAINFO, _scope_='mmamr')
    dataset = DATASETS.build(dict(type='SegmentationDataset', pipeline=PIPELINE, **settings))
    by_labels = DATASETS.build(dict(type='ImageLabelDataset', mask_dir='SegmentationClass', **settings))
    keys = ('img_id', 'img_path', 'seg_map_path')
    for index in range(4):
        one, other = dataset.get_data_info(index), by_labels.get_data_info(index)
        assert {key: one[key] for key in keys} == {key: other[key] for key in keys}
    # labels stand where the run was started, not in the data set
    (tmp_path / 'run' / 'labels').mkdir(parents=True)
    for path in (voc / 'SegmentationClass').iterdir():
        size = Image.open(path).size[::-1]
        Image.fromarray(np.full(size, 12, np.uint8)).save(tmp_path / 'run' / 'labels' / path.name)
    monkeypatch.chdir(tmp_path / 'run')
    dataset = DATASETS.build(dict(type='SegmentationDataset', pipeline=PIPELINE, label_dir='labels', **settings))
    assert (dataset[0]['gt_seg_map'] == 3).all()
    dataset = DATASETS.build(dict(type='SegmentationDataset', pipeline=PIPELINE, mask_dir=None, **settings))
    assert 'gt_seg_map' not in dataset[0]


def test_tags_of_any_label_source(voc):
    of_masks = build(voc, labels=dict(type='MaskLabels'), pipeline=[])
    of_annotations = build(voc, labels=dict(type='VOCXMLLabels'), pipeline=[])
    for i in range(8):
        item = of_masks[i]
        mask = np.asarray(Image.open(item['seg_map_path']))
        shown = [index for index, value in enumerate(METAINFO['mask_values']) if (mask == value).any()]
        assert item['tags'] == shown
        assert of_annotations[i]['tags'] == shown
    assert any(of_masks[i]['tags'] for i in range(8))
    assert 'tags' not in build(voc)[0]
    pack = dict(type='mmseg.PackSegInputs', meta_keys=('img_path', 'tags'))
    packed = build(voc, labels=dict(type='MaskLabels'), pipeline=[*PIPELINE, pack])[0]
    assert packed['data_samples'].tags == of_masks[0]['tags']
    with DefaultScope.overwrite_default_scope('mmseg'):
        of_mmseg = build(voc, type='mmamr.SegmentationDataset', labels=dict(type='VOCXMLLabels'), pipeline=[])
    assert of_mmseg[0]['tags'] == of_masks[0]['tags']


def test_no_masks(voc):
    dataset = build(voc, data_prefix=dict(img_path='JPEGImages'), pipeline=PIPELINE[:1])
    assert 'seg_map_path' not in dataset[0]


def test_pack_seg_inputs_takes_it(voc):
    pipeline = [*PIPELINE, dict(type='mmseg.RandomCrop', crop_size=(32, 32)), dict(type='mmseg.PackSegInputs')]
    item = build(voc, pipeline=pipeline)[1]
    assert item['data_samples'].gt_sem_seg.data.shape == (1, 32, 32)


def test_missing_masks_are_counted(voc):
    for name in ('img_02', 'img_05'):
        (voc / 'SegmentationClass' / f'{name}.png').unlink()
    with pytest.raises(DatasetError, match=r'img_02\.png: no such mask, 2 of the 8 in .*train\.txt have none; make'):
        build(voc)
    with pytest.raises(DatasetError, match=r'none.img_00\.png: no such mask, 8 of the 8'):
        build(voc, data_prefix=dict(img_path='JPEGImages', seg_map_path='none'))
    (voc / 'JPEGImages' / 'img_00.jpg').unlink()
    with pytest.raises(DatasetError, match=r'img_00\.jpg: no such image'):
        build(voc)


def test_unknown_value_and_wrong_size(voc):
    path = voc / 'SegmentationClass' / 'img_00.png'
    mask = np.array(Image.open(path))
    mask[0, 0] = 15
    Image.fromarray(mask).save(path)
    with pytest.raises(DatasetError, match=r'img_00\.png: mask values \[15\] belong to no class'):
        build(voc)[0]
    Image.fromarray(mask[1:]).save(path)
    with pytest.raises(DatasetError, match=r'img_00\.png: the mask is 64x47, its image 64x48'):
        build(voc)[0]


def test_repr_and_scope(voc):
    assert repr(LoadMask()) == 'LoadMask()'
    assert ROOT.get('mmamr.SegmentationDataset') is not None


def large_dataset(root, **kwargs):
    metainfo = dict(classes=('disc', 'square', 'cross'))
    pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), *kwargs.pop('steps', [])]
    dataset = dict(type='SegmentationDataset', data_root=str(root), split='ImageSets/Segmentation/val.txt')
    return DATASETS.build(dict(dataset, metainfo=metainfo, pipeline=pipeline, **kwargs))


def test_large_photos_are_smaller_with_their_masks_in_training_alone(tiny_voc):
    measured = large_dataset(tiny_voc, max_long_side=32)[0]  # 48x64
    assert measured['img'].shape == (24, 32, 3) and measured['ori_shape'] == (48, 64)
    assert measured['gt_seg_map'].shape == (48, 64)
    trained = large_dataset(tiny_voc, max_long_side=32, steps=[dict(type='RandomFlip', prob=0.0)])[0]
    assert trained['img'].shape[:2] == trained['gt_seg_map'].shape == (24, 32)
    # nearest: no value that the mask does not have, at the middle of each pixel
    both = measured['gt_seg_map']
    assert (trained['gt_seg_map'] == both[1::2, 1::2]).mean() > 0.9
    assert set(np.unique(trained['gt_seg_map'])) <= set(np.unique(both))
    assert large_dataset(tiny_voc, max_long_side=None)[0]['img'].shape == (48, 64, 3)
    for wrong in (0, -1, 1.5, 'many'):
        with pytest.raises(ValueError, match='max_long_side must be a number of pixels or None'):
            large_dataset(tiny_voc, max_long_side=wrong)


def test_masks_of_photos_as_stored(tiny_voc):
    photo, mask = (
        tiny_voc / folder / f'img_08.{suffix}'
        for folder, suffix in (('JPEGImages', 'jpg'), ('SegmentationClass', 'png'))
    )
    before = large_dataset(tiny_voc)[0]['gt_seg_map']
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(photo).save(photo, exif=exif)
    with pytest.raises(DatasetError, match=r'EXIF orientation; .* set rotate_masks=True'):
        large_dataset(tiny_voc)[0]
    item = large_dataset(tiny_voc, rotate_masks=True)[0]
    assert item['img'].shape == (64, 48, 3) and (item['gt_seg_map'] == np.rot90(before, -1)).all()
    # labels that a stage made fit what people see
    mask.parent.rename(tiny_voc / 'Made')
    Image.fromarray(np.rot90(np.asarray(Image.open(tiny_voc / 'Made' / mask.name)), -1)).save(
        tiny_voc / 'Made' / mask.name
    )
    made = large_dataset(tiny_voc, rotate_masks=True, label_dir=str(tiny_voc / 'Made'))[0]
    assert (made['gt_seg_map'] == item['gt_seg_map']).all()
