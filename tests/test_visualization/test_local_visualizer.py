import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, PixelData
from PIL import Image

from mmamr.registry import VISUALIZERS
from mmamr.structures import CAM
from mmamr.visualization import CAMLocalVisualizer, draw_sheet

SIZE = (24, 32)
META = dict(classes=('cat', 'dog'), mask_values=(8, 12))


@pytest.fixture
def visualizer(tmp_path):
    visualizer = VISUALIZERS.build(
        dict(
            type='CAMLocalVisualizer',
            name=str(tmp_path),  # mmengine would give the same one again
            width=64,
            vis_backends=[dict(type='LocalVisBackend')],
            save_dir=str(tmp_path),
        )
    )
    visualizer.dataset_meta = META
    return visualizer


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    maps = {name: rng.random((1, 6, 8)) for name in ('spotlight', 'compensation')}
    mask = torch.from_numpy(rng.integers(0, 3, (1, *SIZE)))
    return BaseDataElement(
        cam=CAM(maps, np.array([1]), SIZE),
        pred_sem_seg=PixelData(data=mask.flip(2)),
        gt_sem_seg=PixelData(data=mask),
    )


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def test_what_a_sample_has_is_drawn(visualizer, sample, image, tmp_path):
    assert isinstance(visualizer, CAMLocalVisualizer)
    row = visualizer.row('photo', image, sample)
    assert list(row.panels) == [
        'image',
        'spotlight',
        'compensation',
        'weighted, ξ = 0.5',
        'prediction',
        'ground truth',
    ]
    picture = visualizer.add_datasample('photo', image, sample, step=3)
    np.testing.assert_array_equal(picture, draw_sheet([row], 64))
    (path,) = tmp_path.rglob('photo_3.png')
    np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)


def test_parts_of_it(visualizer, sample, image):
    assert list(visualizer.row('photo', image).panels) == ['image']
    assert list(visualizer.row('photo', image, sample, draw_pred=False).panels) == ['image', 'ground truth']
    assert 'ground truth' not in visualizer.row('photo', image, sample, draw_gt=False).panels
    del sample.pred_sem_seg
    assert 'prediction' not in visualizer.row('photo', image, sample).panels


def test_classes_as_the_data_sets_count_them(visualizer, sample, image):
    foreground = visualizer.row('photo', image, sample)
    # data sets of mmseg count the background, too
    visualizer.dataset_meta = dict(classes=('background', 'cat', 'dog'), mask_values=(0, 8, 12))
    counted = visualizer.row('photo', image, sample)
    assert foreground.legend.keys() == counted.legend.keys()
    np.testing.assert_array_equal(foreground.panels['prediction'], counted.panels['prediction'])


def test_out_file_and_rows(visualizer, sample, image, tmp_path):
    picture = visualizer.add_datasample('photo', image, sample, out_file=str(tmp_path / 'mine' / 'a.png'))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / 'mine' / 'a.png')), picture)
    assert not list(tmp_path.rglob('photo_*.png'))
    rows = [visualizer.row(name, image, sample) for name in ('a', 'b')]
    visualizer.add_rows('both', rows, step=1)
    (path,) = tmp_path.rglob('both_1.png')
    np.testing.assert_array_equal(np.asarray(Image.open(path)), draw_sheet(rows, 64))
