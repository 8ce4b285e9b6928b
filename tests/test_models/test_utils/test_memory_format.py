import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmamr.models.utils import training_format
from mmamr.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.mark.parametrize(
    ('layer', 'safe'),
    [
        (nn.Conv2d(16, 8, 1, stride=2), True),
        (nn.Conv2d(15, 8, 1, stride=2), False),
        (nn.Conv2d(4, 8, 1), True),
        (nn.Conv2d(3, 8, 7, stride=2), True),
        (nn.Conv2d(32, 8, 1, stride=2, groups=4), False),
    ],
)
def test_strided_convolutions_of_few_channels(layer, safe):
    expected = torch.channels_last if safe else torch.contiguous_format
    assert training_format(nn.Sequential(nn.Conv2d(3, 4, 3), layer)) is expected


@pytest.mark.parametrize(
    'config', ['cam_resnet18-w16_1xb8-12e_embedded-112px', 'amr_mobilenet-v2_1xb16-4e_voc-animals-225px']
)
def test_networks_that_people_use_are_fast(config):
    cfg = Config.fromfile(CONFIGS / 'amr' / f'{config}.py')
    with MODELS.switch_scope_and_registry('mmamr') as registry:
        assert training_format(registry.build(cfg.model)) is torch.channels_last


@pytest.mark.parametrize('channels', [4, 8, 16])
def test_the_gradient_does_not_crash(channels):
    """In a process of its own, since a crash would take the tests along."""
    code = f"""
import torch
from mmamr.models.utils import training_format
torch.manual_seed(0)
layer = torch.nn.Conv2d({channels}, 16, 1, stride=2)
images = torch.randn(3, {channels}, 64, 48).contiguous(memory_format=training_format(layer)).requires_grad_()
for _ in range(3):
    layer(images).sum().backward()
"""
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
