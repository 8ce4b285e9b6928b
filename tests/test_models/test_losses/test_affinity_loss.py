from pathlib import Path

import numpy as np
import pytest
import torch

from mmamr.models.losses import affinity_loss
from mmamr.models.losses.pairs import BACKGROUND, DIFFERENT, FOREGROUND, pair_labels, shift
from mmamr.refine import displacements, path
from mmamr.registry import MODELS

DATA = Path(__file__).parents[2] / 'data'
PATH_LOSS = dict(type='PathAffinityLoss', radius=10)
FEATURE_LOSS = dict(type='FeatureAffinityLoss', radius=5)
NAMES = ['loss_affinity_bg', 'loss_affinity_fg', 'loss_affinity_neg']


def sample(num=2, size=(15, 17), channels=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(num, channels, *size, generator=generator)
    segmap = torch.randint(0, 4, (num, *size), generator=generator, dtype=torch.uint8)
    return x, segmap.masked_fill(segmap == 3, 255)


def by_definition(affinity_of, segmap, radius):
    """Loss with one affinity a pair, all displacements side by side."""
    affinity = torch.cat([affinity_of(dy, dx).flatten() for dy, dx in displacements(radius)])
    label = torch.cat([pair_labels(segmap, dy, dx, radius).flatten() for dy, dx in displacements(radius)])
    same, different = -torch.log(affinity + 1e-5), -torch.log(1 + 1e-5 - affinity)
    return (
        same[label == BACKGROUND].mean() / 4
        + same[label == FOREGROUND].mean() / 4
        + different[label == DIFFERENT].mean() / 2
    )


def path_affinity(edge, radius):
    return lambda dy, dx: 1 - torch.stack([shift(edge[:, 0], y, x, radius) for y, x in path(dy, dx)]).amax(dim=0)


def feature_affinity(feature, radius):
    return lambda dy, dx: torch.exp(-(shift(feature, dy, dx, radius) - shift(feature, 0, 0, radius)).abs().mean(dim=1))


def test_path_loss_equals_the_original():
    golden = np.load(DATA / 'affinity_displacement_loss.npz', allow_pickle=False)
    loss = MODELS.build(dict(PATH_LOSS, radius=int(golden['radius'])))
    edge = torch.from_numpy(golden['edge_logits']).sigmoid()
    segmap = torch.from_numpy(golden['segmap'])
    losses = loss(edge, segmap)
    assert list(losses) == NAMES
    positive = 2 * (losses['loss_affinity_bg'] + losses['loss_affinity_fg'])
    assert positive.item() == pytest.approx(float(golden['pos_affinity']), abs=1e-5)
    assert 2 * losses['loss_affinity_neg'].item() == pytest.approx(float(golden['neg_affinity']), abs=1e-5)
    counts = affinity_loss.strongest_edge_counts(edge[:, 0], segmap, 10).sum(dim=(1, 2, 3))
    assert counts.tolist() == [float(golden[name]) for name in ('n_bg', 'n_fg', 'n_neg')]


def test_feature_loss_equals_the_original():
    golden = np.load(DATA / 'affinitynet.npz', allow_pickle=False)
    loss = MODELS.build(dict(FEATURE_LOSS, radius=int(golden['radius'])))
    losses = loss(torch.from_numpy(golden['feature']), torch.from_numpy(golden['segmap'])[None])
    for name, factor in (('bg', 4), ('fg', 4), ('neg', 2)):
        assert factor * losses[f'loss_affinity_{name}'].item() == pytest.approx(float(golden[f'loss_{name}']), abs=1e-5)
    assert sum(losses.values()).item() == pytest.approx(float(golden['loss']), abs=1e-5)


@pytest.mark.parametrize(
    'cfg, channels, affinity',
    [
        (PATH_LOSS, 1, path_affinity),
        (FEATURE_LOSS, 7, feature_affinity),
    ],
)
def test_gradient_equals_that_of_the_definition(cfg, channels, affinity):
    radius = 4
    x, segmap = sample(channels=channels)
    x = x.requires_grad_()
    expected = by_definition(affinity(x, radius), segmap, radius)
    (expected_grad,) = torch.autograd.grad(expected, x)
    total = sum(MODELS.build(dict(cfg, radius=radius))(x, segmap).values())
    (grad,) = torch.autograd.grad(total, x)
    torch.testing.assert_close(total, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(grad, expected_grad, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize('cfg, channels', [(PATH_LOSS, 1), (FEATURE_LOSS, 3)])
class TestBothLosses:
    def test_nothing_to_learn_from_is_zero_loss(self, cfg, channels):
        x, segmap = sample(channels=channels, size=(24, 24))
        for inputs, labels in (
            (x, torch.full_like(segmap, 255)),  # all ignored
            (x[..., :3, :3], segmap[..., :3, :3]),  # smaller than the radius
            (x[..., :1, :1], segmap[..., :1, :1]),
        ):
            inputs = inputs.clone().requires_grad_()
            losses = MODELS.build(cfg)(inputs, labels)
            assert list(losses) == NAMES
            assert sum(losses.values()).item() == 0
            (grad,) = torch.autograd.grad(sum(losses.values()), inputs)
            assert grad.count_nonzero() == 0

    def test_extreme_values_stay_finite(self, cfg, channels):
        _, segmap = sample()
        for value in (0.0, 1.0):
            inputs = torch.full((2, channels, 15, 17), value, requires_grad=True)
            total = sum(MODELS.build(dict(cfg, radius=4))(inputs, segmap).values())
            total.backward()
            assert total.isfinite() and inputs.grad.isfinite().all()

    def test_batch_is_its_samples_weighted_by_their_pairs(self, cfg, channels):
        radius = 4
        x, segmap = sample(num=3, channels=channels)
        segmap[1] = 255
        segmap[2, :9] = 0
        loss = MODELS.build(dict(cfg, radius=radius))
        labels = torch.stack([pair_labels(segmap, dy, dx, radius) for dy, dx in displacements(radius)])
        together = loss(x, segmap)
        for name, kind in zip(NAMES, (BACKGROUND, FOREGROUND, DIFFERENT)):
            counts = (labels == kind).sum(dim=(0, 2, 3))
            alone = torch.stack([loss(x[i : i + 1], segmap[i : i + 1])[name] for i in range(3)])
            torch.testing.assert_close(together[name], (alone * counts).sum() / counts.sum())

    def test_half_precision_is_computed_in_single(self, cfg, channels):
        x, segmap = sample(channels=channels)
        x = x.bfloat16()
        losses = MODELS.build(dict(cfg, radius=4))(x, segmap)
        assert all(value.dtype == torch.float32 for value in losses.values())
        torch.testing.assert_close(losses, MODELS.build(dict(cfg, radius=4))(x.float(), segmap))

    def test_loss_weight(self, cfg, channels):
        x, segmap = sample(channels=channels)
        once, thrice = (MODELS.build(dict(cfg, radius=4, loss_weight=w))(x, segmap) for w in (1.0, 3.0))
        for name in NAMES:
            torch.testing.assert_close(thrice[name], 3 * once[name])

    def test_average_over_processes_is_the_loss_of_all_their_pairs(self, cfg, channels, monkeypatch):
        x, segmap = sample(num=3, channels=channels)
        loss = MODELS.build(dict(cfg, radius=4))
        together = loss(x, segmap)
        parts = [(x[:1], segmap[:1]), (x[1:], segmap[1:])]
        counts = []
        monkeypatch.setattr(affinity_loss, 'all_reduce', lambda count, op: counts.append(count.clone()))
        for part in parts:
            loss(*part)
        mean = torch.stack(counts).mean(dim=0)
        monkeypatch.setattr(affinity_loss, 'all_reduce', lambda count, op: count.copy_(mean))
        apart = [loss(*part) for part in parts]
        for name in NAMES:
            torch.testing.assert_close((apart[0][name] + apart[1][name]) / 2, together[name])


def test_path_loss_takes_equal_edges():
    """Constant maps have a strongest pixel on every path too; a plain maximum gives the same loss."""
    _, segmap = sample()
    edge = torch.full((2, 1, 15, 17), 0.3)
    total = sum(MODELS.build(dict(PATH_LOSS, radius=4))(edge, segmap).values())
    torch.testing.assert_close(total, by_definition(path_affinity(edge, 4), segmap, 4), atol=1e-5, rtol=1e-5)


def test_edges_between_labels_are_learned():
    segmap = torch.zeros(1, 16, 16, dtype=torch.uint8)
    segmap[:, :, 8:] = 2
    logits = torch.zeros(1, 1, 16, 16, requires_grad=True)
    loss = MODELS.build(dict(PATH_LOSS, radius=4))
    optimizer = torch.optim.SGD([logits], lr=20)
    for _ in range(50):
        optimizer.zero_grad()
        sum(loss(logits.sigmoid(), segmap).values()).backward()
        optimizer.step()
    columns = logits.detach().sigmoid()[0, 0, 6]
    assert columns[7:9].max() > 0.7
    assert columns[[4, 5, 10, 11]].max() < 0.5
