"""SEAM alone and as the spotlight of AMR."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample

from mmamr.cams import Climbing
from mmamr.models.losses.seam_loss import SEAMView
from mmamr.registry import MODELS

BACKBONE = dict(type='WideResNet38', base_channels=8, out_indices=(2, 3, 5), norm_eval=True)
SEAM = dict(
    type='SEAMBranch',
    backbone=BACKBONE,
    head=dict(type='SEAMHead', num_classes=4, in_channels=(64, 128, 512), channels=(6, 8)),
)
PLAIN = dict(
    backbone=dict(type='WideResNet38', base_channels=8, norm_eval=True),
    head=dict(type='CAMHead', num_classes=4, in_channels=512),
)
ALONE = dict(type='CAMClassifier', spotlight=SEAM)
AMR = dict(
    type='AMRClassifier',
    spotlight=SEAM,
    compensation=dict(**PLAIN, modulation=dict(layers=r'b[67]\.conv_branch2b2', amm=dict(type='AMM'))),
)


def build(cfg, **kwargs):
    torch.manual_seed(0)
    return MODELS.build({**copy.deepcopy(cfg), **kwargs})


@pytest.fixture
def batch():
    torch.manual_seed(1)
    labels = [[0], [1, 3], []]
    samples = [DataSample().set_gt_label(torch.tensor(one, dtype=torch.long)) for one in labels]
    return torch.randn(3, 3, 64, 48), samples


def test_losses(batch):
    """L_cls is the mean over both scales of maps at the size of the image, as released."""
    inputs, samples = batch
    model = build(ALONE).eval()
    losses = model(inputs, samples, mode='loss')
    labels = model.targets(samples, inputs)
    small = F.interpolate(inputs, (19, 14), mode='bilinear', align_corners=True)
    views = []
    for view in (inputs, small):
        feats = model.spotlight.features(view)
        maps = model.spotlight.head.conv(feats[-1])
        refined = model.spotlight.head.refine(maps, feats, view)
        views.append(
            SEAMView(
                *(F.interpolate(one, view.shape[2:], mode='bilinear', align_corners=True) for one in (maps, refined))
            )
        )
    expected = dict(
        loss_cls=sum(F.multilabel_soft_margin_loss(view.maps.mean((2, 3)), labels) for view in views) / 2,
        **MODELS.build(dict(type='SEAMLoss'))(views, labels),
    )
    assert list(losses) == list(expected) == ['loss_cls', 'loss_er', 'loss_ecr', 'loss_min']
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)


def test_class_maps_are_refined(batch):
    model = build(ALONE).eval()
    maps = model.class_maps(batch[0])['spotlight']
    feats = model.spotlight.features(batch[0])
    raw = model.spotlight.head(feats)
    refined = model.spotlight.head.refine(raw, feats, batch[0])[:, 1:]
    torch.testing.assert_close(maps, refined - refined.flatten(2).min(2).values[..., None, None])
    assert maps.shape == (3, 4, 8, 6) and maps.min() == 0
    # the class scores are those of the classifier
    scores = torch.stack([sample.pred_score for sample in model.predict(batch[0])])
    torch.testing.assert_close(scores, raw.mean((2, 3)).sigmoid())


def test_a_sample_does_not_depend_on_its_batch(batch):
    model = build(ALONE).eval()
    together = model.class_maps(batch[0])['spotlight']
    for index in range(3):
        alone = model.class_maps(batch[0][index : index + 1])['spotlight']
        torch.testing.assert_close(together[index : index + 1], alone, rtol=1e-4, atol=1e-5)


def test_all_of_it_learns(batch):
    model = build(ALONE)
    model.parse_losses(model(*batch, mode='loss'))[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_training_lowers_the_losses(batch):
    model = build(ALONE)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    model.init_weights()
    optim = build_optim_wrapper(
        model, dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01), clip_grad=dict(max_norm=1.0))
    )
    totals = []
    for _ in range(8):
        loss, _ = model.parse_losses(model(*batch, mode='loss'))
        optim.update_params(loss)
        totals.append(loss.item())
    assert totals[-1] < totals[0] - 0.01


def test_amr_on_seam(batch):
    model = build(AMR)
    losses = model(*batch, mode='loss')
    assert set(losses) == {
        'loss_cls_spotlight',
        'loss_cls_compensation',
        'loss_er_spotlight',
        'loss_ecr_spotlight',
        'loss_min_spotlight',
        'loss_cps',
    }
    model.parse_losses(losses)[0].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.eval()
    maps = model.class_maps(batch[0])
    assert {name: tuple(value.shape) for name, value in maps.items()} == dict.fromkeys(maps, (3, 4, 8, 6))
    # L_cps sees the maps before they are refined
    labels = model.targets(batch[1], batch[0])
    torch.testing.assert_close(
        model(*batch, mode='loss')['loss_cps'],
        model.loss_cps(model.spotlight(batch[0]), model.compensation(batch[0]), labels),
    )


def test_seam_is_the_spotlight_of_amr():
    state = {name: value + 1 for name, value in build(ALONE).state_dict().items()}
    missing, unexpected = build(AMR).load_state_dict(state, strict=False)
    assert not unexpected and all(name.startswith('compensation.') for name in missing)


def test_frozen_seam(batch):
    """Of SEAM that is fixed only the classifier learns, through L_cps."""
    model = build(AMR, frozen_spotlight=True)
    losses = model(*batch, mode='loss')
    assert set(losses) == {'cls_spotlight', 'loss_cls_compensation', 'loss_cps'}
    model.parse_losses(losses)[0].backward()
    assert {name for name, p in model.spotlight.named_parameters() if p.grad is not None} == {'head.conv.weight'}
    # its dropout is off: the maps are the same each time
    inputs, labels = batch[0], model.targets(batch[1], batch[0])
    first, second = (model.train().forward_spotlight(inputs, labels).maps for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    # a distributed wrapper would wait for any other
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_wrong_scale():
    with pytest.raises(ValueError, match=r'scale must be in \(0, 1\)'):
        build({**ALONE, 'spotlight': {**SEAM, 'scale': 1.0}})


@pytest.mark.parametrize('cfg', [ALONE, AMR], ids=['alone', 'amr'])
def test_it_climbs_as_any_other(cfg):
    model = build(cfg).eval()
    images = torch.randn(1, 3, 48, 64)
    (still,) = model.make_cams(images, [[1, 2]], climbing=Climbing(steps=1))
    (climbed,) = model.make_cams(images, [[1, 2]], climbing=Climbing(steps=3, step_size=0.5))
    assert set(climbed.maps) == set(model.branches)
    for name, maps in climbed.maps.items():
        assert maps.shape == (2, 12, 16) and np.isfinite(maps).all()
        assert np.abs(maps - still.maps[name]).max() > 1e-4
