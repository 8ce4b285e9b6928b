import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from mmamr.cams import multi_scale_maps, resize_images


@pytest.fixture
def class_maps():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, stride=2, padding=1))

    def maps(images):
        out = net(images)
        return {'spotlight': out[:, :2], 'compensation': out[:, 2:]}

    return torch.no_grad()(maps)


def test_resize_untouched_at_scale_one():
    images = torch.randn(2, 3, 9, 7)
    assert resize_images(images, 1.0) is images
    assert resize_images(images, 1.01) is images


@pytest.mark.parametrize('scale, size', [(0.5, (4, 4)), (2, (18, 14)), (0.01, (1, 1)), (1.5, (14, 10))])
def test_resize_sizes(scale, size):
    assert resize_images(torch.randn(1, 3, 9, 7), scale).shape[2:] == size


@pytest.mark.parametrize('scale', [0.5, 1.75])
def test_resizes_as_pil_does(scale):
    grey = torch.randint(0, 256, (1, 1, 32, 40)).float()
    mine = resize_images(grey, scale)[0, 0]
    theirs = Image.fromarray(grey[0, 0].numpy()).resize((round(40 * scale), round(32 * scale)), Image.BICUBIC)
    torch.testing.assert_close(mine, torch.from_numpy(np.array(theirs)), atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize('flip', [True, False])
def test_sum_over_scales_and_mirrors(class_maps, flip):
    images = torch.randn(2, 3, 24, 32)
    result = multi_scale_maps(class_maps, images, (6, 8), scales=(1.0, 0.5), flip=flip)
    for branch in ('spotlight', 'compensation'):
        expected = 0
        for scale in (1.0, 0.5):
            view = resize_images(images, scale)
            maps = class_maps(view)[branch].relu()
            if flip:
                maps = maps + class_maps(view.flip(3))[branch].relu().flip(3)
            expected = expected + F.interpolate(maps, (6, 8), mode='bilinear', align_corners=False)
        torch.testing.assert_close(result[branch], expected)


def test_batch_equals_its_samples(class_maps):
    images = torch.randn(5, 3, 21, 30) * torch.tensor([1.0, 10.0, 0.1, 3.0, 0.0])[:, None, None, None]
    together = multi_scale_maps(class_maps, images, (6, 8), scales=(0.75, 1.25))
    for i in range(5):
        alone = multi_scale_maps(class_maps, images[i : i + 1], (6, 8), scales=(0.75, 1.25))
        for branch, maps in alone.items():
            torch.testing.assert_close(together[branch][i : i + 1], maps, atol=1e-5, rtol=1e-5)


def test_maps_of_the_mirror_are_the_mirror_of_the_maps(class_maps):
    images = torch.randn(2, 3, 24, 32)
    maps = multi_scale_maps(class_maps, images, (6, 8), scales=(1.0, 0.5))
    mirrored = multi_scale_maps(class_maps, images.flip(3), (6, 8), scales=(1.0, 0.5))
    for branch in maps:
        torch.testing.assert_close(maps[branch], mirrored[branch].flip(3), atol=1e-5, rtol=1e-5)


def test_order_of_scales_does_not_matter(class_maps):
    images = torch.randn(1, 3, 24, 32)
    one = multi_scale_maps(class_maps, images, (6, 8), scales=(1.0, 0.5, 2.0))
    other = multi_scale_maps(class_maps, images, (6, 8), scales=(2.0, 1.0, 0.5))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_half_precision_maps_are_summed_in_float32():
    result = multi_scale_maps(lambda x: {'spotlight': x[:, :1].to(torch.bfloat16)}, torch.rand(1, 3, 8, 8), (2, 2))
    assert result['spotlight'].dtype == torch.float32


def test_the_network_sees_channels_last():
    seen = []

    def maps(images):
        seen.append(images.is_contiguous(memory_format=torch.channels_last))
        return {'spotlight': images[:, :1]}

    multi_scale_maps(maps, torch.rand(2, 3, 8, 8), (2, 2), scales=(1.0, 0.5))
    assert seen == [True, True]
