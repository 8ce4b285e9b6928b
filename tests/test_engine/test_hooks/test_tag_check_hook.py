"""What a classifier's training says of its tags."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from PIL import Image

from mmamr.engine.hooks.tag_check_hook import apart_warnings, count_warnings, doubtful
from mmamr.registry import HOOKS

NAMES = ('cat', 'dog')


def test_few_photos_and_a_tag_of_all():
    tags = np.array([[True, True]] * 3 + [[False, True]] * 17)
    assert count_warnings(tags, NAMES, 3) == [
        'all 20 training photos are tagged dog, so nothing tells where it is: add photos without it'
    ]
    assert count_warnings(tags[:, :1], NAMES, 20) == [
        'fewer than 20 training photos of cat (3): add some, or expect poor masks of them'
    ]
    assert count_warnings(np.eye(2, dtype=bool), NAMES, 0) == []


def test_a_class_that_nothing_tells_apart():
    tags = np.array([[True, False]] * 10 + [[False, True]] * 10)
    told = tags + np.random.default_rng(0).uniform(-0.3, 0.3, tags.shape)
    assert apart_warnings(told, tags, NAMES, 0.2) == []
    guessed = told.copy()
    guessed[:, 1] = 0.1 * (np.arange(20) % 5)
    (line,) = apart_warnings(guessed, tags, NAMES, 0.2)
    assert line.startswith('nothing tells dog from the others: average precision ') and 'by chance 50 %' in line
    # a class without photos, and one that all have, cannot be told anyway
    assert apart_warnings(guessed, np.array([[True, False]] * 20), NAMES, 0.2) == []


def test_doubtful_photos():
    tags = np.array([[True, False], [False, True], [True, True], [False, False]])
    scores = np.array([[0.9, 0.2], [0.8, 0.1], [0.3, 0.9], [0.1, 0.55]])
    assert doubtful(scores, tags, 10) == [(1, 1), (2, 0), (3, 1)]
    assert doubtful(scores, tags, 1) == [(1, 1)]
    assert doubtful(np.where(tags, 0.6, 0.4), tags, 10) == []


def test_in_a_training(tiny_config):
    cfg = tiny_config('tiny_amr')
    cfg.custom_hooks = [dict(type='TagCheckHook', few=20, num=3)]
    cfg.val_dataloader = cfg.test_dataloader.copy()
    cfg.val_dataloader.update(batch_size=1)
    del cfg.val_dataloader['batch_sampler']
    # photos of several sizes are checked together
    cfg.val_dataloader.dataset.pipeline = [cfg.train_pipeline[0], cfg.train_pipeline[1], cfg.train_pipeline[3]]
    cfg.val_evaluator = dict(type='AveragePrecision')
    cfg.val_cfg = dict()
    runner = Runner.from_cfg(cfg)
    runner.train()
    folder = Path(runner.work_dir)
    lines = (folder / 'warnings.txt').read_text().splitlines()
    assert lines[0].startswith('fewer than 20 training photos of disc')
    assert '3 photos have tags that the classifier contradicts' in lines[-1]
    with Image.open(folder / 'doubtful.png') as sheet:
        assert sheet.width > 3 * 256
    # a later training without any leaves none
    cfg.custom_hooks = [dict(type='TagCheckHook', few=0, margin=0.0)]
    cfg.experiment_name = f'{cfg.experiment_name}_again'
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    Runner.from_cfg(cfg).train()
    assert (folder / 'warnings.txt').read_text() == ''


@pytest.mark.parametrize('wrong', [dict(few=-1), dict(num=0), dict(margin=2), dict(batch_size=0)])
def test_wrong_settings(wrong):
    with pytest.raises(ValueError, match='few must be 0 or more'):
        HOOKS.build(dict(type='mmamr.TagCheckHook', **wrong))
