"""CAMClassifier and AMRClassifier: their losses written out, what moves, what a checkpoint of one is to the other."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.cams import Climbing
from mmamr.registry import MODELS

BRANCH = dict(
    backbone=dict(
        type='mmseg.ResNet', depth=18, base_channels=4, stem_channels=4, strides=(1, 2, 2, 1), out_indices=(3,)
    ),
    head=dict(type='CAMHead', num_classes=4, in_channels=32),
)
MODULATION = dict(layers=r'layer[34]\.\d\.bn2', amm=dict(spatial=dict(norm_cfg=dict(type='BN'))))
CAM = dict(type='CAMClassifier', spotlight=BRANCH)
AMR = dict(type='AMRClassifier', spotlight=BRANCH, compensation=dict(**BRANCH, modulation=MODULATION))


def build(cfg, **kwargs):
    torch.manual_seed(0)
    model = MODELS.build({**copy.deepcopy(cfg), **kwargs})
    # larger weights than at the start of a training, so that nothing vanishes in the noise
    for name in model.branches:
        torch.nn.init.normal_(getattr(model, name).head.conv.weight)
    return model


@pytest.fixture
def batch():
    torch.manual_seed(1)
    labels = [[0], [1, 3], [], [2, 0]]
    samples = [DataSample().set_gt_label(torch.tensor(one, dtype=torch.long)) for one in labels]
    targets = torch.zeros(4, 4)
    for row, one in zip(targets, labels):
        row[one] = 1
    return torch.randn(4, 3, 64, 48), samples, targets


def equation_9(maps, labels):
    """L_cls of class maps: global average pooling, sigmoid, binary cross entropies, mean over classes and batch."""
    y = maps.mean((2, 3)).sigmoid()
    return -(labels * y.log() + (1 - labels) * (1 - y).log()).mean(1).mean()


class TestCAMClassifier:
    def test_loss_is_equation_9(self, batch):
        inputs, samples, labels = batch
        model = build(CAM).eval()
        losses = model(inputs, samples, mode='loss')
        assert list(losses) == ['loss_cls']
        torch.testing.assert_close(losses['loss_cls'], equation_9(model.spotlight(inputs), labels))

    def test_class_maps(self, batch):
        model = build(CAM).eval()
        maps = model.class_maps(batch[0])
        assert {name: tuple(value.shape) for name, value in maps.items()} == {'spotlight': (4, 4, 4, 3)}
        torch.testing.assert_close(model(batch[0])['spotlight'], maps['spotlight'])
        assert model.extract_feat(batch[0])['spotlight'].shape == (4, 32, 4, 3)
        assert model.num_classes == 4

    def test_its_checkpoint_is_the_spotlight_of_amr(self):
        cam, amr = build(CAM), build(AMR)
        state = {name: value + 1 for name, value in cam.state_dict().items()}
        missing, unexpected = amr.load_state_dict(state, strict=False)
        assert not unexpected and all(name.startswith('compensation.') for name in missing)
        for name, value in state.items():
            assert torch.equal(amr.state_dict()[name], value)


class TestAMRClassifier:
    def test_losses_are_equations_10_to_12(self, batch):
        inputs, samples, labels = batch
        model = build(AMR, loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2)).eval()
        losses = model(inputs, samples, mode='loss')
        spotlight, compensation = model.spotlight(inputs), model.compensation(inputs)
        expected = {
            'loss_cls_spotlight': equation_9(spotlight, labels) / 2,
            'loss_cls_compensation': equation_9(compensation, labels) / 2,
            'loss_cps': 0.2 * (spotlight.relu() - compensation.relu()).abs().mean(),
        }
        assert losses.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(losses[name], value)
        total, _ = model.parse_losses(losses)
        torch.testing.assert_close(total, sum(expected.values()))

    def test_without_cps(self, batch):
        inputs, samples, _ = batch
        losses = build(AMR, loss_cps=None)(inputs, samples, mode='loss')
        assert list(losses) == ['loss_cls_spotlight', 'loss_cls_compensation']

    def test_class_maps(self, batch):
        model = build(AMR).eval()
        maps = model.class_maps(batch[0])
        assert list(maps) == ['spotlight', 'compensation']
        assert all(value.shape == (4, 4, 4, 3) for value in maps.values())
        assert not torch.allclose(maps['spotlight'], maps['compensation'])

    def test_everything_moves_in_joint_training(self, batch):
        inputs, samples, _ = batch
        model = build(AMR)
        model.parse_losses(model(inputs, samples, mode='loss'))[0].backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name

    def test_branches_share_nothing(self):
        model = build(AMR)
        mine = {parameter.data_ptr() for parameter in model.spotlight.parameters()}
        assert mine.isdisjoint(parameter.data_ptr() for parameter in model.compensation.parameters())

    @pytest.mark.parametrize('cps', [dict(), dict(classes='present'), dict(normalize=True)])
    def test_loss_does_not_depend_on_the_number_of_processes(self, batch, cps):
        """Two processes with half of the batch each average what one has with all of it."""
        inputs, samples, _ = batch
        model = build(AMR, loss_cps=dict(type='CrossPseudoSupervisionLoss', **cps)).eval()
        whole = model(inputs, samples, mode='loss')
        halves = [model(inputs[half], samples[half], mode='loss') for half in (slice(0, 2), slice(2, 4))]
        for name, value in whole.items():
            torch.testing.assert_close((halves[0][name] + halves[1][name]) / 2, value, rtol=1e-4, atol=1e-6)

    def test_a_sample_does_not_depend_on_its_batch(self, batch):
        model = build(AMR).eval()
        together = model.class_maps(batch[0])
        for i in range(4):
            for name, maps in model.class_maps(batch[0][i : i + 1]).items():
                torch.testing.assert_close(together[name][i : i + 1], maps, atol=1e-5, rtol=1e-4)


class TestFrozenSpotlight:
    def test_only_its_head_moves_and_through_cps_alone(self, batch):
        inputs, samples, _ = batch
        model = build(AMR, frozen_spotlight=True)
        losses = model(inputs, samples, mode='loss')
        # logged, but not trained
        assert list(losses) == ['cls_spotlight', 'loss_cls_compensation', 'loss_cps']
        assert not losses['cls_spotlight'].requires_grad
        total, logged = model.parse_losses(losses)
        torch.testing.assert_close(total, losses['loss_cls_compensation'] + losses['loss_cps'])
        assert 'cls_spotlight' in logged
        total.backward()
        for name, parameter in model.named_parameters():
            moves = name == 'spotlight.head.conv.weight' or name.startswith('compensation.')
            assert (parameter.grad is not None) == moves, name
        head = model.spotlight.head.conv.weight.grad.clone()
        model.zero_grad()
        model(inputs, samples, mode='loss')['loss_cps'].backward()
        torch.testing.assert_close(model.spotlight.head.conv.weight.grad, head)

    def test_stays_in_evaluation_mode(self, batch):
        neck = dict(type='AMMNeck', in_channels=32, amm=dict(type='AMM', spatial=dict(norm_cfg=dict(type='BN'))))
        model = build(AMR, frozen_spotlight=True, spotlight=dict(**BRANCH, neck=neck)).train()
        before = copy.deepcopy(model.spotlight.state_dict())
        assert not any(m.training for m in model.spotlight.modules() if isinstance(m, _BatchNorm))
        assert any(m.training for m in model.compensation.modules() if isinstance(m, _BatchNorm))
        optim = build_optim_wrapper(model, dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)))
        optim.update_params(model.parse_losses(model(*batch[:2], mode='loss'))[0])
        for name, value in model.spotlight.state_dict().items():
            assert torch.equal(value, before[name]) == (name != 'head.conv.weight'), name

    def test_needs_cps(self):
        with pytest.raises(ValueError, match='trained by loss_cps alone'):
            build(AMR, frozen_spotlight=True, loss_cps=None)


@pytest.mark.parametrize('cfg', [CAM, AMR, {**AMR, 'frozen_spotlight': True}], ids=['cam', 'amr', 'frozen'])
class TestBoth:
    def test_eval_reaches_every_norm_layer(self, cfg, batch):
        model = build(cfg).train().eval()
        norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        assert len(norms) >= 20 and not any(norm.training for norm in norms)
        before = copy.deepcopy(model.state_dict())
        model.class_maps(batch[0])
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def test_predict(self, cfg, batch):
        inputs, samples, _ = batch
        model = build(cfg).eval()
        out = model(inputs, samples, mode='predict')
        expected = torch.stack([maps.mean((2, 3)).sigmoid() for maps in model.class_maps(inputs).values()]).mean(0)
        torch.testing.assert_close(torch.stack([sample.pred_score for sample in out]), expected)
        assert out[1] is samples[1]
        assert len(model(inputs, mode='predict')) == 4

    def test_unknown_mode(self, cfg, batch):
        with pytest.raises(RuntimeError, match="mode must be 'tensor', 'predict' or 'loss', but got 'train'"):
            build(cfg)(batch[0], mode='train')

    def test_preprocessor_normalises(self, cfg):
        model = build(cfg, data_preprocessor=dict(mean=[10.0, 20.0, 30.0], std=[2.0, 4.0, 5.0], to_rgb=True))
        data = model.data_preprocessor(dict(inputs=[torch.full((3, 4, 5), 40, dtype=torch.uint8)]), False)
        assert data['inputs'][0, :, 0, 0].tolist() == [15.0, 5.0, 2.0]


@pytest.mark.parametrize('climbing', [None, Climbing(steps=3)], ids=['plain', 'climbed'])
@pytest.mark.parametrize(
    'amm',
    [
        dict(function=dict(type='GaussianModulation', statistics='batch')),
        dict(function=dict(type='ThresholdModulation', statistics='batch')),
        dict(
            spatial=dict(norm_cfg=dict(type='BN'), batch_stats_in_eval=True), function=dict(type='ThresholdModulation')
        ),  # a Gaussian of the sample's own statistics undoes the norm
    ],
    ids=['gaussian', 'threshold', 'norm'],
)
@torch.no_grad()
def test_cams_of_a_batch_with_statistics_of_the_batch(amm, climbing, batch):
    """Maps depend on the batch, rows A5 and T9, but CAMs are those of an image and its mirror image."""
    images, classes = batch[0], [[0], [1, 3], [], [0, 2]]
    model = build(AMR, compensation=dict(**BRANCH, modulation={**MODULATION, 'amm': amm})).eval()
    assert model.mixes_samples
    alone = torch.cat([model.class_maps(image[None])['compensation'] for image in images])
    assert (model.class_maps(images)['compensation'] - alone).abs().max() > 1e-3
    cams = model.make_cams(images, classes, (1.0, 0.5), climbing=climbing)
    for image, own, cam in zip(images, classes, cams):
        (expected,) = model.make_cams(image[None], [own], (1.0, 0.5), climbing=climbing)
        for name in model.branches:
            torch.testing.assert_close(cam.maps[name], expected.maps[name])
    assert not build(AMR).mixes_samples


@torch.no_grad()
def test_a_pair_climbs_alone_with_statistics_of_the_batch(batch):
    amm = dict(function=dict(type='GaussianModulation', statistics='batch'))
    model = build(AMR, compensation=dict(**BRANCH, modulation={**MODULATION, 'amm': amm})).eval()
    (both,) = model.make_cams(batch[0][:1], [[1, 3]], climbing=Climbing(steps=3))
    for index, label in enumerate((1, 3)):
        (one,) = model.make_cams(batch[0][:1], [[label]], climbing=Climbing(steps=3))
        torch.testing.assert_close(both.maps['compensation'][index], one.maps['compensation'][0])


def test_detach_after_stops_the_gradient(batch):
    model = build(AMR, compensation=dict(**BRANCH, modulation=MODULATION, detach_after=['layer1', 'layer2']))
    model.compensation(batch[0]).mean().backward()
    for name, parameter in model.compensation.named_parameters():
        stopped = name.startswith(('backbone.conv1', 'backbone.bn1', 'backbone.layer1', 'backbone.layer2'))
        assert (parameter.grad is None) == stopped, name


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='mmpretrain.MobileNetV2', widen_factor=0.25, out_indices=(7,)),
        dict(
            type='mmpretrain.ConvNeXt',
            arch=dict(depths=[1, 1, 1, 1], channels=[8, 8, 16, 32]),
            gap_before_final_norm=False,
        ),
        dict(type='mmseg.MixVisionTransformer', embed_dims=8, num_heads=[1, 1, 1, 4], num_layers=[1, 1, 1, 1]),
    ],
    ids=['MobileNetV2', 'ConvNeXt', 'MixVisionTransformer'],
)
def test_any_backbone(backbone, batch):
    channels = 1280 if 'Mobile' in backbone['type'] else 32
    branch = dict(backbone=backbone, head=dict(type='CAMHead', num_classes=4, in_channels=channels))
    model = build(AMR, spotlight=branch, compensation=dict(**branch, neck=dict(type='AMMNeck', in_channels=channels)))
    losses = model(*batch[:2], mode='loss')
    assert torch.isfinite(model.parse_losses(losses)[0])


def test_labels_of_other_kinds_of_batches(batch):
    """An image may have no label; one label and many, on any device, become zeros and ones."""
    _, samples, labels = batch
    assert torch.equal(build(CAM).targets(samples, labels), labels)
