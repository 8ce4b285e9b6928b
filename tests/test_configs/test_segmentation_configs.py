import glob
import os.path as osp
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, DefaultScope
from PIL import Image

from mmamr.pipeline.stage import parse_stages

CONFIGS = osp.join(osp.dirname(__file__), '..', '..', 'configs')
DEEPLABV2 = 'deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
DEEPLABV3PLUS = 'deeplabv3plus/deeplabv3plus_r101-d8_4xb4-20k_voc12aug-pseudo-512x512.py'
SEGFORMER = 'segformer/segformer_mit-b2_1xb16-20k_voc12aug-pseudo-512x512.py'
ALL = sorted(
    osp.relpath(path, CONFIGS)
    for folder in ('deeplabv2', 'deeplabv3plus', 'segformer')
    for path in glob.glob(osp.join(CONFIGS, folder, '*.py'))
)


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def load(name):
    return Config.fromfile(osp.join(CONFIGS, name))


def differences(a, b, path=''):
    """Dotted names of what two configs do not share."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for key in {*a, *b} for d in differences(a.get(key), b.get(key), f'{path}.{key}'.lstrip('.'))]
    return [] if a == b else [path]


@pytest.mark.parametrize('name', ALL)
def test_builds(name):
    cfg = load(name)
    model = MODELS.build(cfg.model)
    assert model.num_classes == (
        6 if 'voc-animals' in name else 8 if 'embedded' in name else 2 if 'photos' in name else 21
    )
    assert cfg.train_dataloader.batch_size == int(re.search(r'\dxb(\d+)', name)[1])
    iterations = re.search(r'-(\d+)(k|i)_', name)
    assert cfg.train_cfg.max_iters == int(iterations[1]) * (1000 if iterations[2] == 'k' else 1)
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_iters
    crop = re.search(r'-(\d+)x(\d+)\.py', name)
    assert crop is None or tuple(model.data_preprocessor.size) == (int(crop[1]), int(crop[2]))


def test_only_the_labels_differ_from_full_supervision():
    pipeline = load('pipelines/fully-supervised_mobilenet-v2_voc-animals.py')
    stage = parse_stages(pipeline.stages, osp.join(CONFIGS, 'pipelines'))['segmentation']
    pseudo, drawn = Config.fromfile(stage.config), stage.load_config({}, None)
    assert osp.basename(stage.config) == 'deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py'
    assert differences(pseudo.train_dataloader.to_dict(), drawn.train_dataloader.to_dict()) == ['dataset.mask_dir']
    assert pseudo.train_dataloader.dataset.mask_dir == 'SegmentationClassPseudo'
    assert drawn.train_dataloader.dataset.mask_dir == drawn.val_dataloader.dataset.mask_dir == 'SegmentationClass'
    assert differences(pseudo.model.to_dict(), drawn.model.to_dict()) == []


@pytest.mark.parametrize('name', ALL)
def test_one_setting_names_the_labels(name):
    """A pipeline sets ``label_dir``; the data set that is measured has the drawn masks."""
    cfg = load(name)
    assert cfg.train_dataloader.dataset.label_dir is None
    assert cfg.val_dataloader.dataset.mask_dir == 'SegmentationClass' and 'label_dir' not in cfg.val_dataloader.dataset
    assert cfg.test_dataloader.dataset.type == cfg.val_dataloader.dataset.type == cfg.train_dataloader.dataset.type
    assert cfg.test_dataloader == cfg.val_dataloader or 'test' in name


def test_recipe_of_deeplabv2():
    cfg = load(DEEPLABV2)
    model = MODELS.build(cfg.model)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    groups = {id(p): group for group in optimizer.param_groups for p in group['params']}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert '.bn' in name or 'downsample.1' in name
            continue
        rate = 2.5e-4
        if name.startswith('decode_head'):
            rate *= 20 if name.endswith('.bias') else 10
        group = groups[id(parameter)]
        assert group['lr'] == pytest.approx(rate), name
        decay = 0.0 if name.endswith('.bias') else 5e-4
        assert (group['momentum'], group['weight_decay']) == (0.9, decay), name
    assert sum(name.startswith('decode_head') for name, _ in model.named_parameters()) == 8
    assert cfg.param_scheduler[0].power == 0.9 and cfg.param_scheduler[0].eta_min == 0
    # output stride 8, whatever the stage that gives the features
    assert model.extract_feat(torch.zeros(1, 3, 65, 65))[0].shape == (1, 2048, 9, 9)


def test_no_config_saw_the_masks_of_coco():
    for name in ALL:
        assert 'coco' not in str(load(name).to_dict()), name


def test_mobilenet_has_output_stride_16():
    model = MODELS.build(load('deeplabv2/deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py').model)
    assert model.extract_feat(torch.zeros(1, 3, 225, 225))[3].shape == (1, 320, 15, 15)


@pytest.fixture
def pseudo_voc(make_voc):
    """VOC layout with masks of VOC's own values, and pseudo labels that leave pixels out."""
    root = make_voc('VOC2012', mask_values=(8, 12, 13), sizes=((72, 96), (96, 72)))
    (root / 'SegmentationClassPseudo').mkdir()
    for path in (root / 'SegmentationClass').iterdir():
        Image.open(path).save(root / 'SegmentationClassPseudo' / path.name)
    lists = root / 'ImageSets' / 'Segmentation'
    (lists / 'train.txt').rename(lists / 'train_aug.txt')
    return root


@pytest.mark.parametrize(
    'name, options',
    [
        (DEEPLABV2, dict(depth=50)),
        (f'{DEEPLABV2} at three scales', dict(depth=50)),
        (DEEPLABV3PLUS, dict(depth=50)),
        (SEGFORMER, dict(num_layers=[1, 1, 1, 1])),
    ],
)
def test_trains_on_pseudo_labels(pseudo_voc, monkeypatch, name, options):
    monkeypatch.setenv('MMAMR_VOC12', str(pseudo_voc))
    cfg = load(name.removesuffix(' at three scales'))
    if name.endswith(' at three scales'):
        cfg.merge_from_dict({'model.type': 'mmamr.MultiScaleInputSegmentor', 'model.train_scales': [1.0, 0.75, 0.5]})
    cfg.model.pretrained = None
    cfg.model.backbone.update(options, init_cfg=None)
    cfg.model.data_preprocessor.size = (64, 64)
    for step in cfg.train_dataloader.dataset.pipeline:
        if step['type'] in ('RandomCrop', 'Pad'):
            step['crop_size' if step['type'] == 'RandomCrop' else 'size'] = (64, 64)
        if step['type'] == 'RandomResize':
            step['scale'] = (256, 64)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == 8
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = model.train_step(pseudo_collate([dataset[0], dataset[1]]), optim_wrapper)
    assert torch.isfinite(losses['loss'])


@pytest.mark.parametrize('name', [DEEPLABV2, DEEPLABV3PLUS, SEGFORMER])
def test_labels_may_stand_anywhere(pseudo_voc, tmp_path, monkeypatch, name):
    monkeypatch.setenv('MMAMR_VOC12', str(pseudo_voc))
    (pseudo_voc / 'SegmentationClassPseudo').rename(tmp_path / 'labels')
    monkeypatch.chdir(tmp_path)
    cfg = load(name)
    cfg.train_dataloader.dataset.label_dir = 'labels'
    assert 'gt_sem_seg' in DATASETS.build(cfg.train_dataloader.dataset)[0]['data_samples']


# the options of docs/user_guides/train_test.md
TEST_SPLIT = {
    'test_dataloader.dataset.split': 'ImageSets/Segmentation/test.txt',
    'test_dataloader.dataset.mask_dir': None,
    'test_evaluator.format_only': True,
}


def test_predicts_the_test_split_without_masks(pseudo_voc, monkeypatch):
    monkeypatch.setenv('MMAMR_VOC12', str(pseudo_voc))
    lists = pseudo_voc / 'ImageSets' / 'Segmentation'
    (lists / 'val.txt').rename(lists / 'test.txt')
    cfg = load(DEEPLABV2)
    cfg.merge_from_dict(TEST_SPLIT)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    assert len(dataset) == 4
    assert 'gt_sem_seg' not in dataset[0]['data_samples']
    assert cfg.test_evaluator.format_only
