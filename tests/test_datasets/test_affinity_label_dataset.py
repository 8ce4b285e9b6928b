import shutil

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from PIL import Image

from mmamr.datasets import AffinityLabelDataset
from mmamr.registry import DATASETS, TRANSFORMS
from mmamr.utils import DatasetError

METAINFO = dict(classes=('disc', 'square', 'cross'), mask_values=(8, 10, 12))
PIPELINE = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    dict(type='RandomResize', scale=(64, 64), ratio_range=(0.75, 1.25), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(33, 33)),
    dict(type='mmseg.PackSegInputs'),
]


@pytest.fixture
def voc(make_voc, tmp_path):
    """A data set and, elsewhere, affinity labels of its training images."""
    root = make_voc(mask_values=METAINFO['mask_values'])
    shutil.copytree(root / 'SegmentationClass', tmp_path / 'labels')
    return root


def build(voc, label_dir, **kwargs):
    return DATASETS.build(
        dict(type='AffinityLabelDataset', data_root=str(voc), label_dir=str(label_dir), metainfo=METAINFO, **kwargs)
    )


def test_items(voc, tmp_path):
    dataset = build(voc, tmp_path / 'labels')
    assert isinstance(dataset, AffinityLabelDataset) and len(dataset) == 8
    item = dataset[1]
    assert item['seg_map_path'] == str(tmp_path / 'labels' / 'img_01.png')
    assert item['class_index'] is dataset.class_index
    assert item['gt_label'] == [1]
    assert item['seg_fields'] == []


def test_label_dir_is_relative_to_where_the_run_starts(voc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert build(voc, 'labels')[0]['seg_map_path'] == str(tmp_path / 'labels' / 'img_00.png')


def test_annotations_are_not_needed(voc, tmp_path):
    shutil.rmtree(voc / 'Annotations')
    shutil.rmtree(voc / 'SegmentationClass')
    assert build(voc, tmp_path / 'labels')[2]['gt_label'] == [2]


def test_labels_pass_through_the_pipeline_as_training_indices(voc, tmp_path):
    init_default_scope('mmamr')
    dataset = build(voc, tmp_path / 'labels', pipeline=PIPELINE)
    seen = set()
    for i in range(len(dataset)):
        packed = dataset[i]
        assert packed['inputs'].shape == packed['data_samples'].gt_sem_seg.data.expand(3, -1, -1).shape
        seen |= set(np.unique(packed['data_samples'].gt_sem_seg.data.numpy()).tolist())
    assert seen == {0, 1, 2, 3, 255}


def test_image_and_label_stay_in_register(voc, tmp_path):
    """What is cut, flipped and scaled together: here the label is the grey of the image."""
    gradient = np.arange(64, dtype=np.uint8).repeat(4).reshape(16, 16) // 8 % 3
    values = np.array([8, 10, 12], dtype=np.uint8)
    photo = Image.fromarray((gradient * 100).astype(np.uint8)).convert('RGB')
    photo.save(voc / 'JPEGImages' / 'img_00.jpg', quality=100)
    Image.fromarray(values[gradient]).save(tmp_path / 'labels' / 'img_00.png')
    pipeline = Compose([TRANSFORMS.build(step) for step in PIPELINE[:2] + PIPELINE[3:4]])
    out = pipeline(build(voc, tmp_path / 'labels')[0])
    assert (np.abs(out['img'][..., 0].astype(int) - 100 * (out['gt_seg_map'].astype(int) - 1)) < 10).mean() > 0.95


def test_missing_label_names_the_stage_to_run(voc, tmp_path):
    (tmp_path / 'labels' / 'img_03.png').unlink()
    with pytest.raises(DatasetError, match=r'labels/img_03.png: no such affinity label; make them by tools/test.py'):
        build(voc, tmp_path / 'labels')
    with pytest.raises(DatasetError, match=r'nowhere/img_00.png: no such affinity label'):
        build(voc, tmp_path / 'nowhere')


def test_label_of_another_size(voc, tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / 'labels' / 'img_00.png')
    with pytest.raises(DatasetError, match=r'img_00.png: the mask is 9x9, its image 64x48'):
        Compose([TRANSFORMS.build(step) for step in PIPELINE[:2]])(build(voc, tmp_path / 'labels')[0])
