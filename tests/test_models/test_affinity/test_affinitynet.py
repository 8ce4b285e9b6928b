import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmamr.refine import affinity_walk
from mmamr.registry import MODELS

DEFAULT_ARGS = dict(
    type='AffinityNet',
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=18,
        stem_channels=8,
        base_channels=8,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_stages=1,
        norm_eval=True,
    ),
    head=dict(type='AffinityHead', in_channels=(16, 32, 64), channels=(4, 6, 8)),
)


def data_samples(num, size):
    samples = []
    for _ in range(num):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (1, *size)))
        samples.append(sample)
    return samples


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return MODELS.build(DEFAULT_ARGS).eval()


@pytest.mark.parametrize('size', [(1, 1), (1, 70), (33, 34), (65, 47)])
def test_affinity_and_walk(model, size):
    maps = model.affinity(torch.randn(2, 3, *size))
    assert [one['feature'].shape for one in maps] == [(18, -(-size[0] // 8), -(-size[1] // 8))] * 2
    assert not maps[0]['feature'].requires_grad
    for dtype in (torch.float32, torch.float64):
        cam = torch.rand(3, -(-size[0] // 4), -(-size[1] // 4), dtype=dtype)
        walked = model.walk(cam, maps[0])
        assert walked.shape == cam.shape and walked.dtype == dtype
        assert walked.isfinite().all()


def test_walk_runs_at_the_stride_of_the_feature(model):
    feature = torch.rand(18, 12, 14)
    cam = torch.rand(3, 12, 14)
    torch.testing.assert_close(
        model.walk(cam, dict(feature=feature)), affinity_walk(cam, feature, radius=5, beta=8, exp_times=8)
    )
    large = cam.repeat_interleave(2, 1).repeat_interleave(2, 2)
    expected = F.interpolate(affinity_walk(cam, feature)[None], (24, 28), mode='bilinear', align_corners=False)[0]
    torch.testing.assert_close(model.walk(large, dict(feature=feature)), expected)


def test_walk_uses_its_parameters():
    model = MODELS.build(dict(DEFAULT_ARGS, walk_cfg=dict(radius=3, beta=4, exp_times=6)))
    cam, feature = torch.rand(2, 9, 9), torch.rand(18, 9, 9)
    torch.testing.assert_close(
        model.walk(cam, dict(feature=feature)), affinity_walk(cam, feature, radius=3, beta=4, exp_times=6)
    )


def test_affinity_of_a_batch_is_that_of_its_samples(model):
    inputs = torch.randn(3, 3, 33, 40)
    together = model.affinity(inputs)
    for i in range(3):
        torch.testing.assert_close(together[i], model.affinity(inputs[i : i + 1])[0], atol=1e-5, rtol=1e-4)


def test_loss_trains_backbone_and_head_but_no_statistics():
    model = MODELS.build(DEFAULT_ARGS).train()
    samples = data_samples(2, (96, 100))
    statistics = model.backbone.layer4[0].bn1.running_mean.clone()
    losses = model(torch.randn(2, 3, 96, 100), samples, mode='loss')
    assert sorted(losses) == ['loss_affinity_bg', 'loss_affinity_fg', 'loss_affinity_neg']
    sum(losses.values()).backward()
    assert model.backbone.layer4[0].conv1.weight.grad.count_nonzero()
    assert model.head.fuse.weight.grad.count_nonzero()
    assert model.backbone.conv1.weight.grad is None
    assert torch.equal(model.backbone.layer4[0].bn1.running_mean, statistics)
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    assert sum(model(torch.randn(2, 3, 96, 100), samples, mode='loss').values()) == 0


def test_predict_and_tensor(model):
    inputs = torch.randn(2, 3, 32, 40)
    assert model(inputs).shape == (2, 18, 4, 5)
    predicted = model(inputs, mode='predict')
    torch.testing.assert_close(predicted[0].feature.data, model.affinity(inputs)[0]['feature'])


def test_stride_that_is_not_as_told():
    model = MODELS.build(dict(DEFAULT_ARGS, stride=16))
    with pytest.raises(ValueError, match='correct `stride` or `taps`'):
        model(torch.randn(1, 3, 64, 64))


def test_any_backbone_with_levels_of_several_strides():
    model = MODELS.build(
        dict(
            DEFAULT_ARGS,
            backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=0.1, out_indices=(2, 4, 6)),
            head=dict(type='AffinityHead', in_channels=(8, 16, 32), channels=(4, 6, 8)),
        )
    ).eval()
    assert model.affinity(torch.randn(1, 3, 37, 30))[0]['feature'].shape == (18, 5, 4)
