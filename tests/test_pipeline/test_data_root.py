"""The same pipeline on another folder, with its classes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets.data_root import DataRoot, leave_out_masks, set_class_heads
from mmamr.pipeline import WSSSRunner
from mmamr.pipeline.fingerprints import hash_parts
from mmamr.pipeline.settings import read_settings, settings_of
from mmamr.registry import DATASETS
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[2] / 'configs'
DEMO = CONFIGS / 'pipelines' / 'amr_resnet18-w16_irnet_deeplabv2_embedded.py'
METAINFO = dict(classes=('disc', 'square', 'cross'), mask_values=(1, 2, 3))
SERIAL = dict(num_workers=0, persistent_workers=False)
QUICK = {
    'options.test_dataloader': dict(num_workers=0),
    'stages.classifier.options': {'train_dataloader': SERIAL, 'val_dataloader': SERIAL, 'train_cfg.max_epochs': 1},
    'stages.cam.options': {'test_cfg.scales': [1.0]},
    'stages.affinity.options.train_dataloader': dict(SERIAL, batch_size=4),
    'stages.affinity.options.train_cfg': dict(max_epochs=1),
    'stages.segmentation.options.train_dataloader': dict(SERIAL, batch_size=4),
    'stages.segmentation.options.val_dataloader': SERIAL,
    'stages.segmentation.options.train_cfg': dict(max_iters=2, val_interval=2),
    'stages.evaluation.options.test_dataloader': SERIAL,
}


def demo(work_dir, **settings):
    cfg = Config.fromfile(DEMO)
    cfg.merge_from_dict(dict(work_dir=str(work_dir), **settings))
    return WSSSRunner.from_cfg(cfg)


@pytest.mark.slow
def test_the_demo_runs_on_photos_of_other_classes(tiny_voc, tmp_path):
    before = {path: path.read_bytes() for path in tiny_voc.rglob('*') if path.is_file()}
    runner = demo(tmp_path / 'work', data_root=str(tiny_voc), metainfo=METAINFO, **QUICK)
    assert runner.planner.options_of(runner.stages['cam'])['metainfo'] == METAINFO
    runner.train()
    labels = sorted((tmp_path / 'work' / 'pseudo_label' / 'SegmentationClassPseudo').glob('*.png'))
    assert len(labels) == 8
    assert set(np.unique([np.unique(Image.open(path))[-1] for path in labels])) <= {0, 1, 2, 3, 255}
    stages = json.loads((tmp_path / 'work' / 'manifest.json').read_text())['stages']
    assert all(record['state'] == 'done' for record in stages.values())
    assert 0 <= stages['evaluation']['metrics']['mIoU'] <= 100
    assert {path: path.read_bytes() for path in tiny_voc.rglob('*') if path.is_file()} == before


@pytest.mark.slow
def test_photos_without_masks(tiny_voc, tmp_path):
    """Image-level labels are all that the method needs. Masks that come later are measured against, nothing else."""

    def run(redo=False):
        demo(tmp_path / 'work', data_root=str(tiny_voc), metainfo=METAINFO, redo=redo, **QUICK).train()
        records = json.loads((tmp_path / 'work' / 'manifest.json').read_text())['stages']
        assert all(record['state'] == 'done' for record in records.values())
        files = sorted((tmp_path / 'work').glob('*/SegmentationClassPseudo/*.png'))
        predictions = sorted((tmp_path / 'work').glob('evaluation/predictions/*.png'))
        assert len(files) == 8 and predictions
        return records, {path: path.read_bytes() for path in (*files, *predictions)}

    masks = (tiny_voc / 'SegmentationClass').rename(tmp_path / 'masks')
    without, files = run()
    assert not any('mIoU' in metric for record in without.values() for metric in record['metrics'])
    assert '<html' in (tmp_path / 'work' / 'report.html').read_text()
    assert 'no folder' in (tmp_path / 'work' / 'pipeline.log').read_text()
    masks.rename(tiny_voc / 'SegmentationClass')
    measured, again = run(redo=True)
    assert again == files
    for name, record in measured.items():
        assert (record['started'] == without[name]['started']) == (record['kind'] == 'train')
    assert 0 <= measured['evaluation']['metrics']['mIoU'] <= 100 and 'CAM/weighted.mIoU' in measured['cam']['metrics']


def test_models_and_data_sets_get_the_classes_of_the_folder(tiny_voc, tmp_path):
    runner = demo(tmp_path, data_root=str(tiny_voc))
    for name in ('classifier', 'cam'):
        cfg = runner.planner.config(runner.stages[name])
        assert cfg.model.spotlight.head.num_classes == cfg.model.compensation.head.num_classes == 3
        assert cfg.test_dataloader.dataset.type == 'mmamr.ImageLabelDataset'
        assert cfg.test_dataloader.dataset.metainfo.classes == ('cross', 'disc', 'square')
    cfg = runner.planner.config(runner.stages['affinity'])
    assert cfg.train_dataloader.dataset.type == 'mmamr.AffinityLabelDataset'
    cfg = runner.planner.config(runner.stages['segmentation'])
    assert cfg.model.decode_head.num_classes == 4
    assert cfg.train_dataloader.dataset.type == cfg.test_dataloader.dataset.type == 'mmamr.SegmentationDataset'


def test_a_folder_with_some_of_the_classes_keeps_all_of_them(tmp_path):
    (tmp_path / 'Annotations').mkdir()
    path = tmp_path / 'Annotations' / 'a.xml'
    path.write_text('<annotation><object><name>cat</name></object></annotation>')
    cfg = Config.fromfile(CONFIGS / 'amr' / 'amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py')
    DataRoot(str(tmp_path)).apply(cfg)
    assert cfg.model.spotlight.head.num_classes == len(cfg.test_dataloader.dataset.metainfo.classes) == 5
    assert cfg.train_dataloader.dataset.data_root == str(tmp_path)
    # but not if they are named
    DataRoot(str(tmp_path), dict(classes='cat')).apply(cfg)
    assert cfg.model.spotlight.head.num_classes == 1
    assert cfg.test_dataloader.dataset.metainfo == dict(classes=('cat',), mask_values=(1,))


def test_a_folder_without_annotations_keeps_the_classes(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'amr' / 'amr_resnet18-w16_1xb8-12e_embedded-112px.py')
    DataRoot(str(tmp_path)).apply(cfg)
    dataset = cfg.test_dataloader.dataset
    assert dataset.type == 'mmamr.ImageLabelDataset' and len(dataset.metainfo.classes) == 7
    assert cfg.model.spotlight.head.num_classes == 7


@pytest.mark.parametrize(
    ('metainfo', 'line'),
    [
        (dict(mask_value=1), 'metainfo has mask_value; it may have classes, mask_values, palette, background_value'),
        (dict(mask_values=(1,)), 'metainfo has no classes, and no annotation in .* names any: set classes'),
        (dict(classes=('a', 'a')), r'metainfo: classes must be different names'),
        (dict(classes=('a',), mask_values=(256,)), 'metainfo: mask_values, background_value and .* between 0 and 255'),
        (
            dict(classes=('a',), mask_colors='none.txt'),
            '.*none.txt: no such label map; put it there or set mask_colors',
        ),
    ],
)
def test_classes_that_are_none(tmp_path, metainfo, line):
    for folder in ('JPEGImages', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'ImageSets' / 'Segmentation' / 'train.txt').touch()  # VOC's layout, taken as it is
    with pytest.raises(InputError, match=f'^{line}'):
        demo(tmp_path, data_root=str(tmp_path), metainfo=metainfo)


def test_what_masks_look_like_reaches_every_data_set(tiny_voc, tmp_path):
    """Classes are those of the annotations where nobody names them, and colours come from CVAT's file."""
    (tiny_voc / 'labelmap.txt').write_text(
        '# label:color_rgb:parts:actions\ncross:0,0,9::\ndisc:9,0,0::\nsquare:0,9,0::\n'
    )
    metainfo = dict(background_value=9, ignore_values=(200,))
    options = {'options.max_long_side': 500, 'options.rotate_masks': True}
    runner = demo(tmp_path / 'work', data_root=str(tiny_voc), metainfo=metainfo, **options)
    colors = dict(cross=[[0, 0, 9]], disc=[[9, 0, 0]], square=[[0, 9, 0]])
    wanted = dict(classes=('cross', 'disc', 'square'), mask_values=(1, 2, 3), mask_colors=colors, **metainfo)
    for name, loader, drawn in (
        ('classifier', 'train_dataloader', True),
        ('cam', 'test_dataloader', True),
        ('affinity', 'train_dataloader', False),
        ('segmentation', 'train_dataloader', True),
        ('evaluation', 'test_dataloader', True),
    ):
        settings = runner.planner.config(runner.stages[name])[loader].dataset
        assert settings.metainfo == wanted and settings.max_long_side == 500
        assert settings.get('rotate_masks', False) == drawn
    options = runner.planner.options_of(runner.stages['cam'])
    assert options['metainfo'] == wanted and options['max_long_side'] == 500 and options['rotate_masks'] is True


def test_classes_need_a_folder(tmp_path):
    with pytest.raises(InputError, match=r'^metainfo, labels and masks are those of a data_root, but there is none$'):
        demo(tmp_path, metainfo=METAINFO)


def test_labels_of_a_table(tiny_voc, tmp_path):
    ids = (tiny_voc / 'ImageSets' / 'Segmentation' / 'trainval.txt').read_text().split()
    (tiny_voc / 'labels.csv').write_text('image,label\n' + ''.join(f'{img_id},thing\n' for img_id in ids))
    shutil.rmtree(tiny_voc / 'Annotations')
    runner = demo(
        tmp_path,
        data_root=str(tiny_voc),
        metainfo=dict(classes=('thing',)),
        labels=dict(type='CSVLabels', file='labels.csv'),
    )
    assert {decision.stage for decision in runner.plan() if decision.missing} == set()
    cfg = runner.planner.config(runner.stages['cam'])
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, pipeline=[]))
    assert dataset.get_data_info(0)['gt_label'] == [0] and cfg.model.spotlight.head.num_classes == 1
    assert 'labels' not in runner.planner.config(runner.stages['affinity']).train_dataloader.dataset


@pytest.fixture
def stock(tmp_path):
    """A config with a data set of mmseg."""
    dataset = dict(
        type='PascalVOCDataset',
        data_root='data',
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    )
    return Config(dict(default_scope='mmseg', test_dataloader=dict(dataset=dataset), model=dict()))


def test_data_sets_of_other_packages_keep_their_classes(tiny_voc, stock):
    with pytest.raises(InputError, match=r'shows cross, disc, square, but a .*PascalVOCDataset has classes of its own'):
        DataRoot(str(tiny_voc)).apply(stock)


def test_data_sets_of_other_packages_need_masks(tmp_path, stock):
    DataRoot(str(tmp_path)).apply(stock)
    with pytest.raises(InputError, match=r'SegmentationClass: no such folder, but a .*PascalVOCDataset is measured'):
        leave_out_masks(stock)


def test_only_the_heads_that_are_named_count_the_classes():
    other = dict(num_classes=7)
    cfg = Config(dict(model=dict(head=dict(num_classes=7), other=other), class_heads=dict(foreground=['model.head'])))
    set_class_heads(cfg, 3)
    assert cfg.model.head.num_classes == 3 and cfg.model.other.num_classes == 7
    cfg.class_heads = dict(background=['model.other'])
    set_class_heads(cfg, 3)
    assert cfg.model.other.num_classes == 4
    cfg.class_heads = None
    with pytest.raises(InputError, match='does not say which heads count them: name them'):
        set_class_heads(cfg, 3)
    cfg.class_heads = dict(foreground=['model.neck'])
    with pytest.raises(InputError, match=r'^class_heads names model.neck, which the config does not have$'):
        set_class_heads(cfg, 3)
    cfg.class_heads = dict(all=['model.head'])
    with pytest.raises(InputError, match=r'^class_heads has all; it may have foreground and background$'):
        set_class_heads(cfg, 3)


@pytest.mark.slow
def test_a_moved_work_folder_is_whole(tiny_voc, tmp_path):
    """Photos that were laid out lie in the work folder: wherever it is now, what is done is done."""
    photos = tmp_path / 'my photos'
    for index, photo in enumerate(sorted((tiny_voc / 'JPEGImages').iterdir())):
        folder = photos / ('disc', 'square')[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, folder)

    def runner(work_dir):
        stages = ['classifier', 'cam']
        return demo(work_dir, data_root=str(photos), only_stages=stages, resume=True, **QUICK)

    runner(tmp_path / 'work').train()
    kept = (tmp_path / 'work' / 'cam' / 'stage_settings.json').read_text()
    assert '{work_dir}/photos' in kept and str(tmp_path / 'work') not in kept
    (tmp_path / 'elsewhere').mkdir()
    moved = Path(shutil.move(tmp_path / 'work', tmp_path / 'elsewhere' / 'work'))
    before = {path: path.read_bytes() for path in moved.rglob('*') if path.suffix in ('.npz', '.pth')}
    decisions = runner(moved).plan()
    assert {one.stage: one.action for one in decisions if one.action != 'leave'} == dict(classifier='skip', cam='skip')
    runner(moved).train()
    assert before == {path: path.read_bytes() for path in before} and len(before) > 2

    # a work folder of a former version, which kept paths as they stood
    manifest = runner(moved).manifest
    for stage in ('classifier', 'cam'):
        old = read_settings(manifest.settings_file(stage))
        manifest.update(stage, config_hash=hash_parts([settings_of(old, 'train' if stage == 'classifier' else 'test')]))
    assert [one.action for one in runner(moved).plan() if one.action != 'leave'] == ['skip', 'skip']
    settings = read_settings(str(moved / 'cam' / 'stage_settings.json'))
    assert settings.test_dataloader.dataset.data_root == str(moved / 'photos')
