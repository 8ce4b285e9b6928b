from pathlib import Path

import numpy as np
import pytest
import torch

from mmamr.models.losses.pairs import BACKGROUND, FOREGROUND, pair_labels, shift
from mmamr.refine import displacements
from mmamr.registry import MODELS

DATA = Path(__file__).parents[2] / 'data'
DEFAULT_ARGS = dict(type='DisplacementLoss', radius=10)


def sample(num=2, size=(15, 17)):
    generator = torch.Generator().manual_seed(0)
    segmap = torch.randint(0, 4, (num, *size), generator=generator, dtype=torch.uint8)
    return 3 * torch.randn(num, 2, *size, generator=generator), segmap.masked_fill(segmap == 3, 255)


def by_definition(field, segmap, radius):
    sums, counts = [0, 0], [0, 0]
    for dy, dx in displacements(radius):
        labels = pair_labels(segmap, dy, dx, radius)
        difference = shift(field, 0, 0, radius) - shift(field, dy, dx, radius)
        errors = (difference - torch.tensor([dy, dx]).view(2, 1, 1)).abs().sum(1), difference.abs().sum(1)
        for i, kind in enumerate((FOREGROUND, BACKGROUND)):
            sums[i] = sums[i] + errors[i][labels == kind].sum()
            counts[i] += 2 * (labels == kind).sum()
    return sums[0] / counts[0] / 2, sums[1] / counts[1] / 2


def test_equals_the_original():
    golden = np.load(DATA / 'affinity_displacement_loss.npz', allow_pickle=False)
    segmap = torch.from_numpy(golden['segmap'])
    losses = MODELS.build(DEFAULT_ARGS)(torch.from_numpy(golden['displacement']), segmap)
    assert 2 * losses['loss_displacement_fg'].item() == pytest.approx(float(golden['displacement_fg']), abs=1e-5)
    assert 2 * losses['loss_displacement_bg'].item() == pytest.approx(float(golden['displacement_bg']), abs=1e-5)
    edge = torch.from_numpy(golden['edge_logits']).sigmoid()
    losses.update(MODELS.build(dict(type='PathAffinityLoss', radius=10))(edge, segmap))
    assert sum(losses.values()).item() == pytest.approx(float(golden['total']), abs=1e-5)


def test_loss_and_gradient_equal_the_definition():
    field, segmap = sample()
    field.requires_grad_()
    losses = MODELS.build(dict(DEFAULT_ARGS, radius=4, loss_weight=2.0))(field, segmap)
    expected = by_definition(field, segmap, 4)
    for value, wanted in zip((losses['loss_displacement_fg'], losses['loss_displacement_bg']), expected):
        torch.testing.assert_close(value, 2 * wanted)
        torch.testing.assert_close(*(torch.autograd.grad(v, field, retain_graph=True)[0] for v in (value, 2 * wanted)))


def test_pointing_to_the_centre_has_no_loss():
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing='ij')
    # From each pixel to the centre at (5, 5).
    field = torch.stack((5 - rows, 5 - columns))[None]
    losses = MODELS.build(dict(DEFAULT_ARGS, radius=4))(field, torch.ones(1, 12, 12, dtype=torch.uint8))
    assert sum(losses.values()).item() == pytest.approx(0, abs=1e-6)


def test_a_constant_changes_nothing():
    field, segmap = sample()
    loss = MODELS.build(dict(DEFAULT_ARGS, radius=4))
    torch.testing.assert_close(loss(field, segmap), loss(field + 7, segmap), rtol=1e-4, atol=1e-5)


def test_nothing_to_learn_from_is_zero_loss():
    field, segmap = sample(size=(24, 24))
    for inputs, labels in ((field, torch.full_like(segmap, 255)), (field[..., :3, :3], segmap[..., :3, :3])):
        inputs = inputs.clone().requires_grad_()
        total = sum(MODELS.build(DEFAULT_ARGS)(inputs, labels).values())
        (grad,) = torch.autograd.grad(total, inputs)
        assert total.item() == 0 and grad.count_nonzero() == 0
