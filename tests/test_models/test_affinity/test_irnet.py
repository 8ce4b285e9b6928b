import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmamr.refine import random_walk
from mmamr.registry import MODELS

HEADS = dict(in_channels=(8, 8, 16, 32, 64), strides=(4, 4, 8, 16, 16))
DEFAULT_ARGS = dict(
    type='IRNet',
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, strides=(1, 2, 2, 1)),
    taps=('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
    edge_head=dict(type='EdgeHead', loss_affinity=dict(type='PathAffinityLoss', radius=4), **HEADS),
    displacement_head=dict(
        type='DisplacementHead',
        channels=(8,) * 5,
        merged_channels=8,
        loss_displacement=dict(type='DisplacementLoss', radius=4),
        **HEADS,
    ),
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
    height, width = -(-size[0] // 4), -(-size[1] // 4)
    maps = model.affinity(torch.randn(2, 3, *size))
    assert len(maps) == 2
    for one in maps:
        assert one['edge'].shape == (height, width)
        assert 0 <= one['edge'].min() and one['edge'].max() <= 1
        assert one['displacement'].shape == (2, height, width)
        assert not one['edge'].requires_grad
    cam = torch.rand(3, height, width)
    walked = model.walk(cam, maps[0])
    torch.testing.assert_close(walked, random_walk(cam, maps[0]['edge'], radius=5, beta=10, exp_times=8))


def test_walk_uses_its_parameters(model):
    cam, maps = torch.rand(2, 9, 8), dict(edge=torch.rand(9, 8))
    other = MODELS.build(dict(DEFAULT_ARGS, walk_cfg=dict(radius=3, beta=4, exp_times=2)))
    torch.testing.assert_close(other.walk(cam, maps), random_walk(cam, maps['edge'], radius=3, beta=4, exp_times=2))


def test_affinity_of_a_batch_is_that_of_its_samples(model):
    inputs = torch.randn(3, 3, 33, 40)
    together = model.affinity(inputs)
    for i in range(3):
        torch.testing.assert_close(together[i], model.affinity(inputs[i : i + 1])[0], atol=1e-5, rtol=1e-4)


def test_flip_test_averages_the_logits_of_the_mirror(model):
    inputs = torch.randn(1, 3, 33, 33)
    plain = MODELS.build(dict(DEFAULT_ARGS, flip_test=False)).eval()
    plain.load_state_dict(model.state_dict())
    logits, mirrored = (plain.affinity(x)[0]['edge'].logit() for x in (inputs, inputs.flip(-1)))
    torch.testing.assert_close(model.affinity(inputs)[0]['edge'], ((logits + mirrored.flip(-1)) / 2).sigmoid())
    # So the edges of the mirror are the mirror of the edges.
    torch.testing.assert_close(model.affinity(inputs.flip(-1))[0]['edge'], model.affinity(inputs)[0]['edge'].flip(-1))


def test_mean_displacement_is_subtracted_and_saved():
    model = MODELS.build(DEFAULT_ARGS).eval()
    inputs = torch.randn(1, 3, 32, 32)
    before = model.affinity(inputs)[0]['displacement']
    model.mean_displacement.copy_(torch.tensor([2.0, -3.0]))
    after = model.affinity(inputs)[0]['displacement']
    torch.testing.assert_close(before - after, torch.tensor([2.0, -3.0]).view(2, 1, 1).expand_as(before))
    assert 'mean_displacement' in model.state_dict()


def test_backbone_stays_as_it_is():
    model = MODELS.build(DEFAULT_ARGS).train()
    assert model.training and model.edge_head.training
    assert not any(module.training for module in model.backbone.modules())
    state = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    sum(model(torch.randn(2, 3, 64, 64), data_samples(2, (64, 64)), mode='loss').values()).backward()
    assert all(weight.grad is None for weight in model.backbone.parameters())
    assert all(weight.grad is not None for weight in model.edge_head.parameters())
    assert all(weight.grad is not None for weight in model.displacement_head.parameters())
    optimizer.step()
    assert all(torch.equal(value, state[name]) for name, value in model.backbone.state_dict().items())


def test_loss(model):
    inputs, samples = torch.randn(2, 3, 62, 65), data_samples(2, (62, 65))
    losses = model(inputs, samples, mode='loss')
    assert sorted(losses) == [
        'loss_affinity_bg',
        'loss_affinity_fg',
        'loss_affinity_neg',
        'loss_displacement_bg',
        'loss_displacement_fg',
    ]
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    assert sum(model(inputs, samples, mode='loss').values()) == 0


def test_predict_and_tensor(model):
    inputs = torch.randn(2, 3, 32, 40)
    edge, displacement = model(inputs)
    assert edge.shape == (2, 1, 8, 10) and displacement.shape == (2, 2, 8, 10)
    for samples in (None, data_samples(2, (32, 40))):
        predicted = model(inputs, samples, mode='predict')
        assert predicted[1].edge.data.shape == (1, 8, 10)
        torch.testing.assert_close(predicted[1].displacement.data, model.affinity(inputs)[1]['displacement'])
    with pytest.raises(RuntimeError, match='mode must be'):
        model(inputs, mode='train')


def test_taps_leave_no_hook_behind(model):
    model.affinity(torch.randn(1, 3, 32, 32))
    with pytest.raises(RuntimeError):
        model.affinity(torch.randn(1, 5, 32, 32))
    assert not any(module._forward_hooks for module in model.backbone.modules())
    with pytest.raises(ValueError, match=r"taps \['layer9'\] name no submodules of ResNet"):
        MODELS.build(dict(DEFAULT_ARGS, taps=('layer4', 'layer9')))


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='mmseg.ResNet', dilations=(1, 1, 1, 1)),
        dict(type='mmseg.ResNetV1c', dilations=(1, 1, 1, 2)),
        dict(type='mmpretrain.ResNetV1d'),
    ],
)
def test_any_resnet(backbone):
    small = dict(depth=18, stem_channels=8, base_channels=8, strides=(1, 2, 2, 1))
    model = MODELS.build(dict(DEFAULT_ARGS, backbone=dict(backbone, **small))).eval()
    assert model.affinity(torch.randn(1, 3, 37, 30))[0]['edge'].shape == (10, 8)


def test_a_backbone_that_returns_its_levels():
    levels = dict(in_channels=(8, 8, 16, 16, 32), strides=(4, 8, 16, 32, 32))
    model = MODELS.build(
        dict(
            DEFAULT_ARGS,
            backbone=dict(type='mmpretrain.MobileNetV2', widen_factor=0.1, out_indices=(1, 2, 4, 5, 6)),
            taps=None,
            edge_head=dict(type='EdgeHead', **levels),
            displacement_head=dict(type='DisplacementHead', channels=(8,) * 5, merged_channels=8, **levels),
        )
    ).eval()
    assert model.affinity(torch.randn(1, 3, 37, 30))[0]['edge'].shape == (10, 8)


def losses_as_built(model, inputs, samples):
    features, size = model.extract_feat(inputs), inputs.shape[-2:]
    segmap = model.label_map(samples, stride=4)
    return {**model.edge_head.loss(features, size, segmap), **model.displacement_head.loss(features, size, segmap)}


def test_the_backbone_trains_as_a_faster_copy_of_the_same_weights():
    """Losses and gradients are those of the backbone as it was built, also after its weights have changed."""
    model = MODELS.build(DEFAULT_ARGS).double()
    names = set(model.state_dict())
    for norm in model.backbone.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.running_var, 0.5, 2)
            torch.nn.init.normal_(norm.running_mean)
    model.train()
    inputs, samples = torch.randn(2, 3, 65, 65, dtype=torch.float64), data_samples(2, (65, 65))
    seen = []
    for _ in range(2):
        gradients = []
        for losses in (losses_as_built(model, inputs, samples), model.loss(inputs, samples)):
            model.zero_grad()
            sum(losses.values()).backward()
            gradients.append({name: one.grad for name, one in model.named_parameters() if one.grad is not None})
            seen.append(sum(losses.values()).item())
        assert gradients[0].keys() == gradients[1].keys()
        for name, gradient in gradients[0].items():
            torch.testing.assert_close(gradients[1][name], gradient.to(torch.float64), atol=1e-5, rtol=1e-4)
        copied = model._copies.kept[1]
        model.loss(inputs, samples)
        assert model._copies.kept[1] is copied  # one for all steps
        state = {name: torch.randn_like(one) for name, one in model.backbone.state_dict().items() if 'conv1' in name}
        model.backbone.load_state_dict(state, strict=False)
    assert seen[0] == pytest.approx(seen[1]) and seen[2] == pytest.approx(seen[3]) and seen[0] != seen[2]
    assert set(model.state_dict()) == names and not model._copies.kept[1].training
    assert all(
        isinstance(norm.forward(torch.ones(1)), torch.Tensor)
        for norm in model._copies.kept[1].modules()
        if isinstance(norm, torch.nn.BatchNorm2d)
    )


def test_a_model_in_training_is_copied():
    """Its faster copy of the backbone stays behind; the copy of the model has the same losses and makes one itself."""
    torch.manual_seed(0)
    model = MODELS.build(DEFAULT_ARGS).train()
    inputs, samples = torch.randn(2, 3, 64, 64), data_samples(2, (64, 64))
    losses = model.loss(inputs, samples)
    twin = copy.deepcopy(model)
    torch.testing.assert_close(twin.loss(inputs, samples), losses)
    with torch.no_grad():
        twin.backbone.conv1.weight.zero_()
    assert sum(twin.loss(inputs, samples).values()) != sum(losses.values())
    torch.testing.assert_close(model.loss(inputs, samples), losses)
