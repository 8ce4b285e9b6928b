"""Reports on tools of this kind that people filed in public, as small cases with the right result.

==  ===================================================  =============================================================
 1  mmsegmentation#1129, mmpretrain#370: blanks          ``test_names_from_the_shell`` below, ``test_options``
 2  PaddleDetection#1936: digits                         the same
 3  mmsegmentation#559: one class                        the same, ``test_structures/test_class_index``
 4  mmsegmentation#1609, #3617: masks of 0 and 255       ``test_datasets/test_check``, ``test_photo_folder/test_layout``
 5  mmpretrain#370, keras-retinanet#140: ``IMG 1.jpg``   ``test_datasets/test_splits``
 6  keras-retinanet#140: VOC's lists of one class        ``test_datasets/test_splits``
 7  labelme#1529, label-studio#6608, mmcv#1091: EXIF     ``test_fileio/test_images``, ``test_datasets/test_odd_inputs``
 8  pelops#72, cpython#149860: encodings of XML          ``test_datasets/test_labels``, ``test_odd_inputs``
 9  cvat#6446, mmsegmentation#2471: RGB masks            ``test_datasets/test_mask_colors``, ``test_odd_inputs``
10  mmsegmentation#3531: a palette of another order      ``test_fileio/test_images``, ``test_odd_inputs``
11  image-segmentation-keras#254, unet#3: background 2   ``test_structures/test_class_index``, ``test_odd_inputs``
12  MultiMAE#7, PaddleX#1038: 300 classes                ``test_engine/test_loops/test_large_photos``, ``test_check``
13  AMN#11: 200 classes                                  ``test_counts_of_many_classes_do_not_grow`` below
14  darknet#5713: a class that is absent                 ``test_evaluation/test_average_precision``
15  yolov5#2166, vision#735, timm#1335: suffixes         ``test_datasets/test_splits``, ``test_fileio/test_images``
16  mmsegmentation#3050, FastSAM#157: large photos       ``test_engine/test_loops/test_large_photos``
17  datasets#5757, tonic#295: ``~``                      ``test_a_tilde_is_expanded_everywhere_and_once`` below
18  mmsegmentation#3050, SSPNet#10: inferencers          ``test_apis/test_inferencers``, ``test_apis/test_inputs``
19  folders as tables, headers, ``tv/monitor``, val.txt  ``test_odd_inputs``, ``test_labels``, below, ``test_data_root``
20  mmsegmentation#3856, #2558: ONNX                     ``test_apis/test_export``
==  ===================================================  =============================================================
"""

import pickle
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmamr.datasets import ImageLabelDataset, SegmentationDataset
from mmamr.datasets.data_root import apply_options
from mmamr.evaluation import CAMMetric
from mmamr.structures import CAM
from mmamr.visualization import Row, save_rows

CONFIGS = Path(__file__).parents[1] / 'configs'
PIPELINE = CONFIGS / 'pipelines' / 'amr_resnet18-w16_irnet_deeplabv2_embedded.py'


@pytest.mark.parametrize(
    'folder, labels, classes, options',
    [
        ('my photos', 'my labels.csv', ('traffic light', 'dog'), ['metainfo.classes=traffic light,dog']),
        ('2024', 'tags.csv', ('1', '2'), ['metainfo.classes=1,2']),
        ('a, b [1]', '007.csv', ('007',), ['metainfo.classes=007']),
        ('one', 'tags.csv', ('cat',), ['metainfo.classes=cat', 'metainfo.mask_values=8']),
    ],
)
def test_names_from_the_shell(tmp_path, monkeypatch, load_tool, capsys, folder, labels, classes, options):
    root = tmp_path / folder
    root.mkdir()
    rows = ['image,label']
    for number in range(4):
        Image.new('RGB', (8, 8)).save(root / f'IMG {number}.jpg')
        rows.append(f'IMG {number}.jpg,{classes[number % len(classes)]}')
    (root / labels).write_text('\n'.join(rows))
    monkeypatch.chdir(tmp_path)
    argv = [str(PIPELINE), '--dry-run', '--work-dir', 'w']
    argv += ['--cfg-options', f'data_root={folder}', f'labels.file={labels}']
    assert load_tool('train.py').main([*argv, *options]) == 0
    text = capsys.readouterr().out
    assert 'MISSING' not in text and all(f'| {name} ' in text for name in classes)
    cfg = Config.fromfile(CONFIGS / 'amr' / 'amr_resnet18-w16_1xb8-12e_embedded-112px.py')
    given = load_tool('train.py').parse_args([str(PIPELINE), *argv[-3:], *options]).cfg_options
    apply_options(cfg, given, 'w')
    assert tuple(cfg.train_dataloader.dataset.metainfo['classes']) == classes
    assert cfg.model.spotlight.head.num_classes == len(classes)


def test_counts_of_many_classes_do_not_grow():
    """What processes send is counted where it arises: 200 classes at 375x500 were 32 MB an image and row."""
    sizes = []
    for images in (1, 3):
        metric = CAMMetric(xis=(0.5,))
        metric.dataset_meta = dict(classes=[f'class {number}' for number in range(200)])
        for number in range(images):
            maps = np.random.default_rng(number).random((2, 10, 13), dtype=np.float32)
            cam = CAM(dict(spotlight=maps, compensation=maps), np.array([number, 199]), (40, 50))
            metric.process(None, [dict(cam=cam, mask=np.full((40, 50), 200, np.uint8))])
        sizes.append(len(pickle.dumps(metric.take_counts())))
    assert sizes[0] == sizes[1]


def test_a_tilde_is_expanded_everywhere_and_once(tiny_voc, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = dict(
        data_root='~/voc', split='ImageSets/Segmentation/val.txt', metainfo=dict(classes=('disc', 'square', 'cross'))
    )
    for dataset in (ImageLabelDataset(**settings, mask_dir='SegmentationClass'), SegmentationDataset(**settings)):
        item = dataset.get_data_info(0)
        assert item['seg_map_path'] == str(tiny_voc / 'SegmentationClass' / 'img_08.png')
    (tmp_path / '~').symlink_to('nowhere')
    assert len(ImageLabelDataset(**dict(settings, data_root=str(tmp_path / 'voc')))) == 4


def test_a_class_with_a_slash_makes_no_folder(tmp_path):
    rows = [Row(dict(a=np.zeros((4, 4, 3), np.uint8)), name) for name in ('tv/monitor', '../up', 'tv/monitor')]
    files = save_rows(rows, str(tmp_path / 'out'))
    assert len({*files}) == 3 and {*map(str, (tmp_path / 'out').iterdir())} == {*files}
    assert [path.name for path in tmp_path.iterdir()] == ['out']
