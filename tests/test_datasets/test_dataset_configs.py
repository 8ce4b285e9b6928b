"""The data set configs for classification and CAMs, run on made-up photos."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

CONFIGS = Path(__file__).parents[2] / 'configs'
METAINFO = dict(classes=('disc', 'square', 'cross'), mask_values=(1, 2, 3))


@pytest.mark.parametrize(
    'name, variable, default, sizes',
    [
        ('_base_/datasets/voc12aug.py', 'MMAMR_VOC12', 'data/VOCdevkit/VOC2012', dict(train=512, val=512)),
        ('_base_/datasets/voc-animals.py', 'MMAMR_VOC_ANIMALS', 'data/voc-animals', dict(train=225, val=225)),
        (
            'amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py',
            'MMAMR_VOC07_MINI',
            'data/voc07-mini',
            dict(train=225, val=225),
        ),
        (
            'amr/cam_resnet50_released_1xb16-8e_voc12aug-512px.py',
            'MMAMR_VOC12',
            'data/VOCdevkit/VOC2012',
            dict(train=512, val=512),
        ),
        pytest.param(
            'seam/seam_resnet38_1xb8-8e_voc12aug-448px.py',
            'MMAMR_VOC12',
            'data/VOCdevkit/VOC2012',
            dict(train=448, val=512),
        ),
    ],
)
def test_loaders(monkeypatch, tiny_voc, name, variable, default, sizes):
    monkeypatch.delenv(variable, raising=False)
    assert Config.fromfile(CONFIGS / name).data_root == default

    monkeypatch.setenv(variable, str(tiny_voc))
    cfg = Config.fromfile(CONFIGS / name)
    assert cfg.data_root == str(tiny_voc)
    lists = tiny_voc / 'ImageSets' / 'Segmentation'
    shutil.copy(lists / 'train.txt', lists / 'train_aug.txt')
    init_default_scope('mmamr')
    np.random.seed(0)  # noqa: NPY002 (the transforms draw from it)
    loaders = {}
    for stage in ('train', 'val', 'test'):
        loader = cfg[f'{stage}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(metainfo=METAINFO)
        loaders[stage] = Runner.build_dataloader(loader)

    assert len(loaders['train'].dataset) == 8 and len(loaders['val'].dataset) == 4
    for stage, size in sizes.items():
        for batch in loaders[stage]:
            assert {tuple(image.shape) for image in batch['inputs']} == {(3, size, size)}
            assert {image.dtype for image in batch['inputs']} <= {torch.uint8, torch.float32}

    seen = []
    for batch in loaders['test']:
        assert len({image.shape for image in batch['inputs']}) == 1
        for image, sample in zip(batch['inputs'], batch['data_samples']):
            assert tuple(image.shape[1:]) == sample.ori_shape == sample.img_shape
            assert Path(sample.seg_map_path).stem == Path(sample.img_path).stem == sample.img_id
            assert sample.gt_label.dtype == torch.long and len(sample.gt_label) > 0
            seen.append(sample.img_id)
    assert sorted(seen) == [f'img_{i:02d}' for i in range(8)]


def test_an_image_may_have_no_label(tiny_voc):
    """Its sample has an empty label, which mmpretrain's preprocessor turns into a row of zeros."""
    (tiny_voc / 'Annotations' / 'img_00.xml').write_text('<annotation/>')
    init_default_scope('mmamr')
    cfg = Config.fromfile(CONFIGS / '_base_' / 'datasets' / 'voc-animals.py')
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False, sampler=dict(type='DefaultSampler', shuffle=False))
    loader.dataset.update(data_root=str(tiny_voc), metainfo=METAINFO)
    batch = next(iter(Runner.build_dataloader(loader)))
    assert [sample.gt_label.tolist() for sample in batch['data_samples']][:3] == [[], [1], [2]]

    from mmpretrain.models import ClsDataPreprocessor

    out = ClsDataPreprocessor(num_classes=3, to_onehot=True)(batch)
    assert [sample.gt_score.tolist() for sample in out['data_samples']][:2] == [[0, 0, 0], [0, 1, 0]]
