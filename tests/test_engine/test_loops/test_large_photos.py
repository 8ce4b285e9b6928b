"""Photos that are larger than ``max_long_side`` are worked on smaller; what comes out has their own size."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmamr.cams import normalize_maps
from mmamr.engine import apply_test_time
from mmamr.fileio import ChangedSettingsError, read_cam, read_image
from mmamr.models.utils import preprocess
from mmamr.structures import strided_size
from mmamr.utils import DatasetError

SIZES = {f'img_{i:02d}': ((48, 64), (64, 48), (56, 56), (40, 72))[i % 4] for i in range(12)}
BOUND = {'test_dataloader.dataset.max_long_side': 32}


@pytest.fixture
def test(tiny_config, tmp_path):
    """Run the test loop of a tiny config, with random weights where it has a network."""

    def run(name, work_dir, options=None):
        cfg = tiny_config(name, work_dir, options)
        apply_test_time(cfg)
        torch.manual_seed(0)
        runner = Runner.from_cfg(cfg)
        return runner, runner.test()

    return run


def check_sizes(folder, suffix):
    """Whether the files of a folder have the sizes of the photos."""
    assert len(list(folder.glob(f'*{suffix}'))) in (4, 12)
    for path in folder.glob(f'*{suffix}'):
        size = read_cam(str(path)).size if suffix == '.npz' else Image.open(path).size[::-1]
        assert size == SIZES[path.stem]


def test_every_stage(test, write_cams, tmp_path, monkeypatch):
    runner, metrics = test('tiny_amr', 'cam', BOUND)
    cams = tmp_path / 'cam' / 'cams'
    check_sizes(cams, '.npz')
    assert 0 <= metrics['CAM/spotlight.mIoU'] <= 100
    model = runner.model.eval()
    for img_id, size in list(SIZES.items())[:4]:
        cam = read_cam(str(cams / f'{img_id}.npz'))
        small = read_image(os.path.join(runner.test_dataloader.dataset.data_root, 'JPEGImages', f'{img_id}.jpg'), 32)
        assert max(small.shape[:2]) == 32
        with torch.no_grad():
            inputs = preprocess(model, small[..., ::-1])
            (wanted,) = model.make_cams(inputs, [cam.classes], runner.test_loop.scales, runner.test_loop.flip)
        for branch, maps in wanted.maps.items():
            assert cam.maps[branch].shape[1:] == strided_size(size)
            large = torch.nn.functional.interpolate(
                torch.from_numpy(maps)[None], strided_size(size), mode='bilinear', align_corners=False
            )[0]
            np.testing.assert_allclose(cam.maps[branch], normalize_maps(large), atol=0.02)

    # CAMs that are right go through the other stages
    monkeypatch.setenv('MMAMR_TINY_CAMS', write_cams())
    _, metrics = test('tiny_affinity-label', 'label', BOUND)
    check_sizes(tmp_path / 'label' / 'affinity_labels', '.png')
    assert metrics['label/mIoU'] > 40
    _, metrics = test('tiny_irnet', 'walk', BOUND)
    check_sizes(tmp_path / 'walk' / 'walks', '.npz')
    walk = read_cam(str(tmp_path / 'walk' / 'walks' / 'img_00.npz'))
    assert walk.maps['walk'].max() == 1
    test('tiny_pseudo-label', 'pseudo', {**BOUND, 'test_cfg.crf': dict(iterations=2)})
    check_sizes(tmp_path / 'pseudo' / 'SegmentationClassPseudo', '.png')


@pytest.mark.parametrize('crf', [False, True])
@pytest.mark.parametrize('limit', [1000, 1 << 27])
def test_segmentation(test, tmp_path, monkeypatch, limit, crf):
    """In one piece, and a band of rows at a time, as the largest photos are predicted."""
    monkeypatch.setattr('mmamr.models.segmentors.large_photos.MAX_LOGITS', limit)
    test_time = dict(ms=True, scales=(0.5, 1.0), flip=True, crf=crf, crf_params=dict(iterations=2))
    folder = tmp_path / 'predictions'
    options = {**BOUND, 'test_time': test_time, 'test_evaluator.output_dir': str(folder)}
    _, metrics = test('tiny_segmentation', 'work', options)
    check_sizes(folder, '.png')
    assert 0 <= metrics['ms_flip_crf/mIoU' if crf else 'ms_flip/mIoU'] <= 100


def test_predictions_do_not_depend_on_the_way(test, tmp_path, monkeypatch):
    found = []
    for limit in (1000, 1 << 27):
        monkeypatch.setattr('mmamr.models.segmentors.large_photos.MAX_LOGITS', limit)
        folder = tmp_path / str(limit)
        test('tiny_segmentation', 'work', {'test_evaluator.output_dir': str(folder)})
        check_sizes(folder, '.png')
        found.append(np.concatenate([np.asarray(Image.open(path)).ravel() for path in sorted(folder.iterdir())]))
    assert len(np.unique(found[0])) > 1 and (found[0] == found[1]).mean() > 0.999


def test_the_bound_is_a_setting_of_the_files(test, tmp_path):
    test('tiny_amr', 'work', BOUND)
    assert json.loads((tmp_path / 'work' / 'cams' / 'settings.json').read_text())['max_long_side'] == 32
    with pytest.raises(ChangedSettingsError, match='made with other max_long_side'):
        test('tiny_amr', 'work', {'test_dataloader.dataset.max_long_side': 40})


def test_more_classes_than_a_mask_has(test, tmp_path):
    """CAMs of 300 classes are made and read; a label of them ends with one line."""
    classes = ('disc', 'square', 'cross', *map(str, range(297)))
    data = {'test_dataloader.dataset.metainfo.classes': classes, 'test_dataloader.dataset.mask_dir': None}
    heads = {f'model.{branch}.head.num_classes': 300 for branch in ('spotlight', 'compensation')}
    _, metrics = test('tiny_amr', 'work', {**data, **heads})
    cams = tmp_path / 'work' / 'cams'
    assert metrics == {} and len(list(cams.glob('*.npz'))) == 12
    with pytest.raises(DatasetError, match='300 classes do not fit into a mask, which has 254 at most'):
        test('tiny_pseudo-label', 'work', {**data, 'test_cfg.cam_dir': str(cams)})


@pytest.mark.slow
def test_twelve_megapixels(tmp_path):
    """A photo of 4000x3000 pixels passes through every stage, including test time with views and a CRF."""
    root = tmp_path / 'large'
    for folder in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    colours = np.random.default_rng(0).integers(0, 255, (30, 40, 3))
    photo = Image.fromarray(np.kron(colours, np.ones((100, 100, 1))).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(root / 'JPEGImages' / 'large.jpg', exif=exif)
    mask = np.zeros((3000, 4000), dtype=np.uint8)
    mask[750:1500, 1000:2000], mask[1500:, 2000:] = 1, 2
    Image.fromarray(mask).save(root / 'SegmentationClass' / 'large.png')
    names = ''.join(f'<object><name>{name}</name></object>' for name in ('disc', 'square'))
    (root / 'Annotations' / 'large.xml').write_text(f'<annotation>{names}</annotation>')
    for name in ('train', 'val', 'trainval'):
        (root / 'ImageSets' / 'Segmentation' / f'{name}.txt').write_text('large\n')

    script = Path(__file__).parents[2] / 'data' / 'large_photo.py'
    env = dict(os.environ, MMAMR_TINY_VOC=str(root), OMP_NUM_THREADS='1')
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / 'work')], env=env, capture_output=True, text=True, timeout=1800
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    peaks = json.loads(ended.stdout.splitlines()[-1])
    print(f'largest memory in MB after each stage: {peaks}')
    assert list(peaks) == ['tiny_amr', 'tiny_affinity-label', 'tiny_irnet', 'tiny_pseudo-label', 'tiny_segmentation']
    assert max(peaks.values()) < 3500
    for folder in ('tiny_affinity-label/affinity_labels', 'tiny_pseudo-label/SegmentationClassPseudo', 'predictions'):
        assert Image.open(tmp_path / 'work' / folder / 'large.png').size == (4000, 3000)
    for folder in ('tiny_amr/cams', 'tiny_irnet/walks'):
        assert read_cam(str(tmp_path / 'work' / folder / 'large.npz')).size == (3000, 4000)
