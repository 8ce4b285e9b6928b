"""COCO 2014, in small: its folders become a data set, masks are drawn from polygons, and the pipeline runs on it."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets import class_index_of, folder_metainfo
from mmamr.datasets.data_root import apply_options, open_data_root
from mmamr.fileio import read_stored_mask
from mmamr.pipeline import WSSSRunner
from mmamr.registry import DATASETS

CONFIGS = Path(__file__).parents[2] / 'configs'
CLASSIFIER = CONFIGS / 'amr' / 'amr_resnet50_1xb16-5e_coco14-512px.py'
PIPELINE = CONFIGS / 'pipelines' / 'amr_resnet50_irnet_deeplabv2-r101_coco14.py'
PHOTOS = dict(train=6, val=3)


@pytest.fixture(scope='module')
def classes():
    return Config.fromfile(CLASSIFIER).metainfo['classes']


@pytest.fixture
def coco(tmp_path, classes):
    """COCO's folders: two lists, ids of categories with gaps, polygons, a crowd, and a photo without anything."""
    root = tmp_path / 'coco'
    (root / 'annotations').mkdir(parents=True)
    numbers = [number for number in range(1, 91) if number % 9 or number > 80][:80]
    categories = [dict(id=number, name=name, supercategory='x') for number, name in zip(numbers, classes)]
    for split, count in PHOTOS.items():
        (root / f'{split}2014').mkdir()
        images, annotations = [], []
        for index in range(count):
            name = f'COCO_{split}2014_{index:012d}.jpg'
            pixels = np.random.default_rng(index).integers(0, 256, (40, 56, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f'{split}2014' / name)
            images.append(dict(id=1000 + index, file_name=name, height=40, width=56))
            if index == 2:
                continue  # as 702 photos of train have
            # a small thing on a large one, which comes behind it in the file; two parts of one object
            for kind, rings in (
                (79, [[10, 10, 20, 10, 20, 16, 10, 16]]),
                (index, [[4, 4, 40, 4, 40, 30, 4, 30], [44, 4, 50, 4, 50, 9, 44, 9]]),
            ):
                one = dict(image_id=1000 + index, category_id=numbers[kind], segmentation=rings, iscrowd=0)
                annotations.append(dict(one, id=len(annotations), bbox=[4, 4, 46, 26], area=7))
            if index == 0:
                runs = dict(counts=[40 * 55, 40], size=[40, 56])
                annotations.append(
                    dict(id=99, image_id=1000, category_id=numbers[5], segmentation=runs, iscrowd=1, area=40, bbox=[])
                )
        content = dict(info={}, images=images, annotations=annotations, categories=categories)
        (root / 'annotations' / f'instances_{split}2014.json').write_text(json.dumps(content))
        captions = json.dumps(dict(images=images, annotations=[]))
        (root / 'annotations' / f'captions_{split}2014.json').write_text(captions)
    return root


def expected(index):
    """The mask of a photo: values of classes are 1 to 80 in the order of the file."""
    mask = np.zeros((40, 56), np.uint8)
    if index != 2:
        mask[4:30, 4:40] = mask[4:9, 44:50] = index + 1
        mask[10:16, 10:20] = 80
    if index == 0:
        mask[:, 55] = 6
    return mask


def test_its_own_folders_are_laid_out(coco, tmp_path, classes):
    """Only classes that occur would be classes of any folder; the config knows all 80."""
    found = open_data_root(str(coco), str(tmp_path / 'work'), dict(classes=classes)).layout
    assert found.classes == classes and found.mask_values == tuple(range(1, 81))
    assert {split: count[''] for split, count in found.counts.items()} == PHOTOS
    out = tmp_path / 'work' / 'photos'
    for split, count in PHOTOS.items():
        for index in range(count):
            name = f'{split}2014_COCO_{split}2014_{index:012d}'
            assert (read_stored_mask(str(out / 'SegmentationClass' / f'{name}.png')) == expected(index)).all()
    assert folder_metainfo(str(out))['classes'] == classes
    index = class_index_of(folder_metainfo(str(out)))
    assert index.num_classes == 80 and index.labels_of_names(['toothbrush']) == [79]


def test_the_config_reads_what_was_laid_out(coco, tmp_path, classes, monkeypatch):
    out = open_data_root(str(coco), str(tmp_path / 'work'), dict(classes=classes)).path
    monkeypatch.setenv('MMAMR_COCO14', out)
    cfg = Config.fromfile(CLASSIFIER)
    for loader, count in (('train_dataloader', 6), ('val_dataloader', 3), ('test_dataloader', 6)):
        dataset = DATASETS.build(dict(cfg[loader].dataset, pipeline=[], _scope_='mmamr'))
        labels = [dataset.get_data_info(index)['gt_label'] for index in range(len(dataset))]
        assert len(dataset) == count and labels[:3] == [[0, 5, 79], [1, 79], []]
    assert dataset.get_data_info(0)['seg_map_path'].endswith('.png')
    runner = WSSSRunner.from_cfg(with_work_dir(Config.fromfile(PIPELINE), tmp_path))
    assert 'MISSING' not in runner.describe_plan()
    for stage in runner.stages.values():
        config = runner.planner.config(stage)
        heads = [key for key, value in leaves(config.model) if key.endswith('num_classes') and value in (80, 81)]
        assert len(heads) == sum(key.endswith('num_classes') for key, _ in leaves(config.model))


def with_work_dir(cfg, tmp_path):
    cfg.work_dir = str(tmp_path / 'work')
    return cfg


def leaves(value, key=''):
    for name, item in value.items() if isinstance(value, dict) else ():
        yield from leaves(item, f'{key}.{name}') if isinstance(item, dict) else [(f'{key}.{name}', item)]


def test_a_folder_of_its_own_in_the_place_of_the_config_s(coco, tmp_path):
    """`--data-root data/coco`: the classes are those that its photos show."""
    cfg = Config.fromfile(CLASSIFIER)
    found = apply_options(cfg, {'data_root': str(coco)}, str(tmp_path / 'work'))
    assert found.metainfo['classes'] == ('person', 'bicycle', 'motorcycle', 'airplane', 'bus', 'toothbrush')
    assert cfg.model.compensation.head.num_classes == 6


@pytest.mark.slow
def test_the_pipeline_runs(coco, tmp_path, classes):
    cfg = with_work_dir(Config.fromfile(PIPELINE), tmp_path)
    loader = {
        'train_dataloader.batch_size': 2,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
    }
    val = {'val_dataloader.num_workers': 0, 'val_dataloader.persistent_workers': False}
    crops = {'train_dataloader.dataset.pipeline.3.size': 64}
    options = dict(
        classifier={
            **loader, **val, **crops, 'train_cfg.max_epochs': 1, 'param_scheduler.0.end': 1,
            'model.spotlight.backbone.init_cfg': None, 'model.compensation.backbone.init_cfg': None,
        },
        cam={'test_cfg.scales': (1.0,)},
        affinity_label={'test_cfg.crf.iterations': 1},
        affinity={
            **loader, 'train_dataloader.dataset.pipeline.4.crop_size': (64, 64), 'train_cfg.max_epochs': 1,
            'param_scheduler.0.end': 1, 'model.backbone.init_cfg': None, 'model.data_preprocessor.size': (64, 64),
        },
        segmentation={
            **loader, **val, 'train_dataloader.dataset.pipeline.3.crop_size': (65, 65), 'train_cfg.max_iters': 2,
            'model.data_preprocessor.size': (65, 65), 'model.backbone.init_cfg': None, 'train_cfg.val_interval': 2,
        },
        evaluation={'test_dataloader.num_workers': 0, 'test_dataloader.persistent_workers': False},
    )  # fmt: skip
    cfg.merge_from_dict({f'stages.{stage}.options': values for stage, values in options.items()})
    cfg.merge_from_dict(dict(data_root=str(coco), metainfo=dict(classes=classes), labels='coco'))
    metrics = WSSSRunner.from_cfg(cfg).train()
    assert list(metrics) == [
        'classifier', 'cam', 'affinity_label', 'affinity', 'walk', 'pseudo_label', 'segmentation', 'evaluation',
    ]  # fmt: skip
    assert {'pseudo_label/mIoU'} <= set(metrics['pseudo_label']) and 'mIoU' in ' '.join(metrics['evaluation'])
    assert len(list((tmp_path / 'work' / 'evaluation' / 'predictions').glob('*.png'))) == 3
