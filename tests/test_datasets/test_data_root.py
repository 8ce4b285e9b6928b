"""Any folder of photos in the place of that of a config."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets import init_dataset, load_config
from mmamr.datasets.data_root import DataRoot, apply_options, missing_lists, open_data_root
from mmamr.pipeline import WSSSRunner
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[2] / 'configs'
AMR = CONFIGS / 'amr' / 'amr_resnet18-w16_1xb8-12e_embedded-112px.py'
PIPELINE = CONFIGS / 'pipelines' / 'amr_resnet18-w16_irnet_deeplabv2_embedded.py'


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Ten photos of two classes in a folder in the home folder."""
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    root = tmp_path / 'home' / 'my photos'
    root.mkdir(parents=True)
    rows = ['Image,Label']
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f'IMG {number}.jpg')
        rows.append(f'IMG {number}.jpg,{("traffic light", "007")[number % 2]}')
    (root / 'tags.csv').write_text('\n'.join(rows))
    return root


def test_a_single_config_takes_a_folder(photos, tmp_path):
    cfg = Config.fromfile(AMR)
    found = apply_options(cfg, {'data_root': '~/my photos', 'train_cfg.max_epochs': 1}, str(tmp_path / 'work'))
    assert found.layout is not None and cfg.train_cfg.max_epochs == 1
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == str(tmp_path / 'work' / 'photos')
        assert loader.dataset.metainfo.classes == ('007', 'traffic light')
    assert cfg.model.spotlight.head.num_classes == cfg.model.compensation.head.num_classes == 2
    assert cfg.test_dataloader.dataset.mask_dir is None
    items = init_dataset(cfg)
    assert len(items) + len(missing_lists(cfg)) == found.layout.counts['train']['']
    assert items.get_data_info(0)['img_id'].startswith('IMG ')


def test_classes_of_the_user(photos, tmp_path):
    options = {'data_root': str(photos), 'metainfo.classes': ['007'], 'labels': 'csv'}
    cfg = load_config(str(AMR), {**options, 'work_dir': str(tmp_path / 'work')})
    assert cfg.model.spotlight.head.num_classes == 1
    with pytest.raises(InputError, match=r'no photo shows cat; the tags are 007, traffic light'):
        apply_options(Config.fromfile(AMR), {**options, 'metainfo.classes': ['cat']}, str(tmp_path / 'other'))


def test_a_folder_in_the_layout_of_voc_is_taken_as_it_is(tiny_voc, tmp_path):
    cfg = Config.fromfile(AMR)
    found = apply_options(cfg, {'data_root': str(tiny_voc)}, str(tmp_path / 'work'))
    assert found.layout is None and cfg.test_dataloader.dataset.data_root == str(tiny_voc)
    assert cfg.test_dataloader.dataset.mask_dir == 'SegmentationClass' and 'labels' not in cfg.test_dataloader.dataset
    assert not (tmp_path / 'work').exists()
    (tiny_voc / 'mine.csv').write_text('image,label\nimg_00,disc\n')
    for labels, source in {
        'voc': dict(type='VOCXMLLabels'),
        'masks': dict(type='MaskLabels'),
        'mine.csv': dict(type='CSVLabels', file='mine.csv'),
        str(tiny_voc / 'mine.csv'): dict(type='CSVLabels', file=str(tiny_voc / 'mine.csv')),
    }.items():
        assert open_data_root(str(tiny_voc), str(tmp_path), labels=labels).labels == source
    # without annotations labels.csv is what is there
    shutil.rmtree(tiny_voc / 'Annotations')
    (tiny_voc / 'mine.csv').rename(tiny_voc / 'labels.csv')
    found = DataRoot(str(tiny_voc))
    assert found.labels == dict(type='CSVLabels', file='labels.csv') and found.metainfo['classes'] == ('disc',)


def test_annotations_of_voc_in_the_place_of_a_table_that_is_not_there(tiny_voc, tmp_path):
    """The configs for own photos name labels.csv."""
    config = next((CONFIGS / 'amr').glob('cam_efficientnet-lite2_*photos*.py'))
    cfg = Config.fromfile(config)
    assert cfg.test_dataloader.dataset.labels == dict(type='CSVLabels', file='labels.csv')
    apply_options(cfg, {'data_root': str(tiny_voc)}, str(tmp_path / 'work'))
    assert cfg.test_dataloader.dataset.labels == dict(type='VOCXMLLabels')
    assert len(init_dataset(cfg)) and init_dataset(cfg).get_data_info(0)['gt_label']
    (tiny_voc / 'labels.csv').write_text('image,label\nimg_00,disc\n')
    cfg = Config.fromfile(config)
    apply_options(cfg, {'data_root': str(tiny_voc)}, str(tmp_path / 'work'))
    assert cfg.test_dataloader.dataset.labels == dict(type='CSVLabels', file='labels.csv')


def test_the_layout_of_voc_without_lists_is_laid_out(tiny_voc, tmp_path):
    shutil.rmtree(tiny_voc / 'ImageSets')
    found = open_data_root(str(tiny_voc), str(tmp_path / 'work'))
    assert found.metainfo == dict(classes=('cross', 'disc', 'square'), mask_values=(1, 2, 3))
    assert len(list((tmp_path / 'work' / 'photos' / 'SegmentationClass').iterdir())) == 12
    assert sum(count[''] for count in found.layout.counts.values()) == 12


@pytest.mark.parametrize(
    'options, line',
    [
        ({'metainfo.classes': ['a']}, r'metainfo, labels and masks are those of a data_root, but there is none'),
        ({'data_root': 'nowhere', 'labels': 'csv'}, r'nowhere: no such folder'),
        ({'data_root': '~/my photos', 'labels': 'coco'}, r'my photos: no tags of the kind coco'),
        ({'data_root': '~/my photos', 'labels.type': 'CSVLabels'}, r'labels of a folder of photos need a file'),
        ({'data_root': '~/my photos', 'metainfo.mask_values': [1]}, r'metainfo of a folder of photos has classes and'),
        ({'data_root': '~/my photos', 'metainfo.classes': [1]}, r'the class 1 is no text; write it in quotes'),
    ],
)
def test_wrong_options(photos, tmp_path, options, line):
    with pytest.raises(InputError, match=line) as caught:
        apply_options(Config.fromfile(AMR), options, str(tmp_path / 'work'))
    assert '\n' not in str(caught.value)


def test_options_that_nothing_reads_are_named(tmp_path):
    for config, option, line in (
        (AMR, 'train_dataloder.x', 'no setting train_dataloder (did you mean train_dataloader?)'),
        (AMR, 'train_pipeline.0.x', 'train_pipeline is a variable of'),
        (PIPELINE, 'dataroot', 'no setting dataroot (did you mean data_root?)'),
    ):
        with pytest.raises(InputError, match=re.escape(line)):
            apply_options(Config.fromfile(config), {option: 1}, str(tmp_path))


def test_a_pipeline_takes_a_folder(photos, tmp_path):
    cfg = Config.fromfile(PIPELINE)
    cfg.merge_from_dict(dict(work_dir=str(tmp_path / 'work'), data_root='~/my photos'))
    runner = WSSSRunner.from_cfg(cfg)
    text = runner.describe_plan()
    assert text.startswith(f'{tmp_path}/work/photos: tags: a CSV') and 'MISSING' not in text
    for stage in runner.stages.values():
        loader = runner.planner.config(stage)[stage.dataloader]
        assert loader.dataset.data_root == str(tmp_path / 'work' / 'photos')
    # the same folder again: nothing has changed
    files = {path: path.lstat().st_mtime_ns for path in (tmp_path / 'work').rglob('*')}
    WSSSRunner.from_cfg(cfg).describe_plan()
    assert {path: path.lstat().st_mtime_ns for path in (tmp_path / 'work').rglob('*')} == files


def test_a_dry_run_finds_every_missing_list_and_returns_1(tiny_voc, tmp_path, load_tool, capsys):
    main = load_tool('train.py').main
    argv = [str(PIPELINE), '--work-dir', str(tmp_path / 'work'), '--dry-run', '--data-root', str(tiny_voc)]
    assert main(argv) == 0
    (tiny_voc / 'ImageSets' / 'Segmentation' / 'val.txt').unlink()
    capsys.readouterr()
    assert main(argv) == 1
    text = capsys.readouterr().out
    line = f'images: MISSING, {tiny_voc}/ImageSets/Segmentation/val.txt: no such list of images; set split to one of'
    stages = [part.split(':')[0].split('\n')[-1] for part in text.split(line)[:-1]]
    assert text.count(line) == 3 and len(stages) == 3  # classifier and segmentation validate, evaluation tests
    assert not (tmp_path / 'work').exists()
