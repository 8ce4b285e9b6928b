from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from mmamr.registry import HOOKS

META = dict(classes=('background', 'disc', 'square'), palette=[(0, 0, 0), (200, 0, 0), (0, 200, 0)])


@pytest.fixture
def runner():
    """As much of a runner as the hook sees; ``shown`` is what it showed."""
    shown = []
    return SimpleNamespace(
        test_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=META)),
        visualizer=SimpleNamespace(show=lambda picture, **kwargs: shown.append(kwargs)),
        shown=shown,
    )


@pytest.fixture
def outputs(tmp_path):
    """Predictions of five grey photographs, the first three with ground truth."""
    samples = []
    for index in range(5):
        path = tmp_path / f'{index}.jpg'
        Image.fromarray(np.full((20, 30), 99, dtype=np.uint8)).save(path)
        sample = SegDataSample(metainfo=dict(img_path=str(path)))
        sample.pred_sem_seg = PixelData(data=torch.full((1, 20, 30), index % 3))
        if index < 3:
            sample.gt_sem_seg = PixelData(data=torch.full((1, 20, 30), 255))
        samples.append(sample)
    return samples


def test_files_and_windows(runner, outputs, tmp_path):
    hook = HOOKS.build(
        dict(type='PredictionPictureHook', out_dir=str(tmp_path / 'shown'), show=True, wait_time=0.5, interval=2)
    )
    for _ in range(2):  # a second test counts anew
        hook.before_test_epoch(runner)
        hook.after_test_iter(runner, 0, outputs=outputs[:3])
        hook.after_test_iter(runner, 1, outputs=outputs[3:])
    assert runner.shown == [dict(win_name=name, wait_time=0.5) for name in '024'] * 2
    assert sorted(path.name for path in (tmp_path / 'shown').iterdir()) == ['0.png', '2.png', '4.png']
    widths = [Image.open(tmp_path / 'shown' / f'{name}.png').width for name in '024']
    assert widths[0] == widths[1] > widths[2]  # with and without ground truth


def test_only_what_was_asked_for(runner, outputs, tmp_path):
    HOOKS.build(dict(type='PredictionPictureHook', out_dir=str(tmp_path / 'a'))).after_test_iter(
        runner, 0, outputs=outputs
    )
    assert not runner.shown and len(list((tmp_path / 'a').iterdir())) == 5
    HOOKS.build(dict(type='PredictionPictureHook', show=True)).after_test_iter(runner, 0, outputs=outputs)
    assert len(runner.shown) == 5 and runner.shown[0]['wait_time'] == 2


def test_interval_is_positive():
    with pytest.raises(ValueError, match='interval must be a whole number of at least 1, but got 0'):
        HOOKS.build(dict(type='PredictionPictureHook', interval=0))
