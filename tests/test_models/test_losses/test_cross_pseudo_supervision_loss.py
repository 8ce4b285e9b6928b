import pytest
import torch
import torch.nn.functional as F

from mmamr.registry import MODELS


def build(**kwargs):
    return MODELS.build(dict(type='CrossPseudoSupervisionLoss', **kwargs))


@pytest.fixture
def maps():
    torch.manual_seed(0)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    return torch.randn(4, 3, 5, 6), torch.randn(4, 3, 5, 6), labels


def test_equation_11_written_out(maps):
    spotlight, compensation, labels = maps
    expected = 0.0
    for n in range(4):
        for c in range(3):
            expected += (spotlight[n, c].clamp(min=0) - compensation[n, c].clamp(min=0)).abs().sum() / (4 * 3 * 30)
    torch.testing.assert_close(build()(spotlight, compensation, labels), expected)
    torch.testing.assert_close(build(loss_weight=0.05)(spotlight, compensation, labels), 0.05 * expected)


def test_normalized_maps(maps):
    spotlight, compensation, labels = maps
    one, other = ((m.relu() / m.relu().amax((2, 3), keepdim=True)) for m in (spotlight, compensation))
    torch.testing.assert_close(
        build(normalize=True)(spotlight, compensation, labels), (one - other).abs().mean(), rtol=1e-4, atol=1e-5
    )
    # however large they are
    torch.testing.assert_close(
        build(normalize=True)(1000 * spotlight, compensation, labels), (one - other).abs().mean(), rtol=1e-4, atol=1e-4
    )


def test_maps_without_relu(maps):
    spotlight, compensation, labels = maps
    expected = (spotlight - compensation).abs().mean()
    torch.testing.assert_close(build(relu=False)(spotlight, compensation, labels), expected)


def test_normalizing_nothing_is_finite():
    negative = torch.full((2, 3, 4, 4), -1.0, requires_grad=True)
    loss = build(normalize=True)(negative, torch.zeros(2, 3, 4, 4), torch.ones(2, 3))
    loss.backward()
    assert loss == 0 and torch.isfinite(negative.grad).all()


def test_present_classes_only(maps):
    spotlight, compensation, labels = maps
    difference = (spotlight.relu() - compensation.relu()).abs().mean((2, 3))
    expected = torch.stack(
        [difference[0, [0, 2]].mean(), difference[1, 1], torch.tensor(0.0), difference[3].mean()]
    ).mean()
    torch.testing.assert_close(build(classes='present')(spotlight, compensation, labels), expected)


@pytest.mark.parametrize(
    'detach, moves', [(None, (True, True)), ('spotlight', (False, True)), ('compensation', (True, False))]
)
def test_detached_branch_does_not_move(maps, detach, moves):
    spotlight, compensation, labels = maps
    spotlight.requires_grad_(), compensation.requires_grad_()
    build(detach=detach)(spotlight, compensation, labels).backward()
    assert (spotlight.grad is not None, compensation.grad is not None) == moves


@pytest.mark.parametrize('options', [{}, dict(classes='present'), dict(normalize=True)])
def test_mean_over_halves_is_the_whole(maps, options):
    """So the loss does not depend on the number of processes, which average their gradients."""
    loss = build(**options)
    halves = [loss(*half) for half in zip(*(value.chunk(2) for value in maps))]
    torch.testing.assert_close(sum(halves) / 2, loss(*maps))


def test_every_sample_takes_part(maps):
    spotlight, compensation, labels = maps
    spotlight.requires_grad_()
    build()(spotlight, compensation, labels).backward()
    assert (spotlight.grad.abs().amax((1, 2, 3)) > 0).all()


def test_maps_of_two_sizes(maps):
    spotlight, compensation, labels = maps
    small = compensation[..., ::2, ::2]
    expected = (spotlight.relu() - F.interpolate(small.relu(), (5, 6), mode='bilinear')).abs().mean()
    torch.testing.assert_close(build()(spotlight, small, labels), expected)


def test_half_precision(maps):
    spotlight, compensation, labels = maps
    loss = build()(spotlight.bfloat16(), compensation.bfloat16(), labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, build()(*maps), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(classes='some'), 'classes must be one of'),
        (dict(detach='both'), 'detach must be one of'),
        (dict(normalize=True, relu=False), 'normalize divides'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


@pytest.mark.parametrize('relu', [True, False])
def test_first_pair_as_released(maps, relu):
    spotlight, compensation, labels = maps
    loss = build(samples='first-pair', relu=relu, loss_weight=0.05)(spotlight, compensation, labels)

    def added(one):
        one = F.relu(one) if relu else one
        return one[0] + torch.flip(one[1], (-1,))

    expected = 0.05 * torch.mean(torch.abs(added(spotlight) - added(compensation)))
    torch.testing.assert_close(loss, expected)
    # the others never enter
    torch.testing.assert_close(
        build(samples='first-pair', relu=relu, loss_weight=0.05)(spotlight[:2], compensation[:2], labels[:2]), expected
    )


def test_first_pair_of_one_sample(maps):
    one = [tensor[:1] for tensor in maps]
    torch.testing.assert_close(build(samples='first-pair')(*one), build()(*one))


def test_first_pair_takes_the_classes_of_both(maps):
    spotlight, compensation, labels = maps
    loss = build(samples='first-pair', classes='present', relu=False)(spotlight, compensation, labels)
    difference = (spotlight[0] + spotlight[1].flip(2) - compensation[0] - compensation[1].flip(2)).abs().mean((1, 2))
    torch.testing.assert_close(loss, difference.mean())
    assert labels[:2].amax(0).eq(1).all()
