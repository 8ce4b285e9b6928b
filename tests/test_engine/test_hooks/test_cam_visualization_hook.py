import io
from pathlib import Path
from types import SimpleNamespace

import mmengine.dist.utils
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mmamr.engine.hooks import CAMVisualizationHook
from mmamr.utils import InputError

BACKENDS = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]


@pytest.fixture
def train(tiny_config):
    """Train the tiny model with hooks in a work folder: ``train('name', dict(type='CAMVisualizationHook'))``."""

    def run(work_dir, *hooks, **options):
        cfg = tiny_config('tiny_amr', work_dir, options)
        cfg.custom_hooks = list(hooks)
        cfg.visualizer = dict(type='Visualizer', vis_backends=BACKENDS)
        runner = Runner.from_cfg(cfg)
        runner.train()
        runner.visualizer.close()
        return runner

    return run


def pictures(runner):
    """The pictures in TensorBoard by step, and the files."""
    folder = Path(runner.log_dir) / 'vis_data'
    events = EventAccumulator(str(folder), size_guidance=dict(images=0)).Reload()
    shown = {}
    if 'cams' in events.Tags()['images']:
        for event in events.Images('cams'):
            shown[event.step] = np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
    return shown, {file.name: np.asarray(Image.open(file)) for file in folder.glob('vis_image/*.png')}


def test_pictures_of_each_epoch_are_in_tensorboard_and_in_files(train):
    runner = train('pictures', dict(type='CAMVisualizationHook', img_ids=['img_00', 'img_01', 'img_09'], width=64))
    shown, files = pictures(runner)
    assert list(shown) == [1, 2] and set(files) == {'cams_1.png', 'cams_2.png'}
    for step, picture in shown.items():
        assert np.array_equal(picture, files[f'cams_{step}.png'])
        # image, spotlight, compensation, weighted, ground truth; three rows of 48, 64 and 64 pixels and their texts
        assert picture.shape[1] == 5 * 64 + 6 * 2 and picture.shape[0] > 48 + 64 + 64
    # the photos stay, the CAMs move
    moved = (shown[1] != shown[2]).any(2)
    assert not moved[:, :66].any() and not moved[:, -66:].any() and moved[:, 70:200].any()
    assert not torch.is_inference(next(runner.model.parameters()))


def test_iterations_and_interval(train):
    hook = dict(type='CAMVisualizationHook', by_epoch=False, interval=3, num=1, xi=0.2, flip=True)
    runner = train('iterations', hook)
    assert list(pictures(runner)[0]) == [3]


def test_training_is_the_same_with_and_without(train):
    with_hook = train('with', dict(type='CAMVisualizationHook', by_epoch=False, scales=(1.0, 0.5)))
    without = train('without')
    for (name, value), (_, other) in zip(with_hook.model.state_dict().items(), without.model.state_dict().items()):
        assert torch.equal(value, other), name
    assert [module.training for module in with_hook.model.modules()] == [
        module.training for module in without.model.modules()
    ]


def test_images_are_fixed_by_the_seed(tiny_config):
    runner, chosen = SimpleNamespace(cfg=tiny_config('tiny_amr')), []
    for seed in (1, 1, 2):
        hook = CAMVisualizationHook(num=3, seed=seed)
        hook.before_train(runner)
        chosen.append([item['img_id'] for item in hook.items])
    assert chosen[0] == chosen[1] != chosen[2] and len(chosen[0]) == 3


def test_only_the_main_process_draws(monkeypatch):
    monkeypatch.setattr(mmengine.dist.utils, 'is_main_process', lambda group=None: False)
    hook = CAMVisualizationHook()
    monkeypatch.setattr(hook, 'dataset_cfg', dict(type='does not exist'))
    hook.before_train(None)
    hook.draw_if_any(None, 1)


def test_a_data_set_that_is_not_there(train, tiny_voc):
    """Pictures that nobody asked for do not stop a training; those that somebody asked for do."""
    for mask in (tiny_voc / 'SegmentationClass').iterdir():
        mask.unlink()
    assert pictures(train('none', dict(type='CAMVisualizationHook'))) == ({}, {})
    with pytest.raises(InputError, match='SegmentationClass'):
        train('named', dict(type='CAMVisualizationHook', img_ids=['img_00']))


def test_a_data_set_of_its_own_and_no_masks(train, tiny_voc):
    dataset = dict(
        type='ImageLabelDataset',
        data_root=str(tiny_voc),
        split='ImageSets/Segmentation/val.txt',
        metainfo=dict(classes=('disc', 'square', 'cross')),
    )
    shown, _ = pictures(train('own', dict(type='CAMVisualizationHook', dataset=dataset, width=64)))
    assert shown[2].shape[1] == 4 * 64 + 5 * 2


@pytest.mark.parametrize('options', [dict(interval=0), dict(num=0)])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match='of at least 1'):
        CAMVisualizationHook(**options)
