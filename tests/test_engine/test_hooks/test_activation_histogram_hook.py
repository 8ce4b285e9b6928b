from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmamr.utils import InputError


@pytest.fixture
def train(tiny_config):
    """Train the tiny model with hooks in a work folder."""

    def run(work_dir, *hooks):
        cfg = tiny_config('tiny_amr', work_dir)
        cfg.custom_hooks = list(hooks)
        cfg.visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner

    return run


def test_pictures_of_each_iteration_and_the_same_training(train):
    module = 'compensation.amm.layer3-1-bn2.amm'
    runner = train('with', dict(type='ActivationHistogramHook', module=module, by_epoch=False, num=2, width=300))
    files = sorted((Path(runner.log_dir) / 'vis_data').glob('vis_image/*.png'))
    assert [file.name for file in files] == [f'activations_{step}.png' for step in (1, 2, 3, 4)]
    first, second = (np.asarray(Image.open(file)) for file in files[:2])
    assert first.shape[1] == 300 and not np.array_equal(first, second)
    without = train('without')
    for (name, value), (_, other) in zip(runner.model.state_dict().items(), without.model.state_dict().items()):
        assert torch.equal(value, other), name
    assert [len(module._forward_hooks) for module in runner.model.modules()] == [
        len(module._forward_hooks) for module in without.model.modules()
    ]


def test_a_wrong_module_is_told_before_training(train):
    with pytest.raises(InputError, match=r"no AMM is named 'layer9'; the model has compensation\.amm"):
        train('wrong', dict(type='ActivationHistogramHook', module='layer9'))
