from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmamr.cams import Climbing, batch_cams, climb, climbed_cams, climbed_maps

GOLDEN = Path(__file__).parents[1] / 'data' / 'advcam.npz'


class Network(nn.Module):
    """Two convolutions and a linear classifier; counts its passes."""

    def __init__(self, state):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.second = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.classifier = nn.Conv2d(12, 4, 1, bias=False)
        self.load_state_dict(state)
        self.requires_grad_(False)
        self.forwards, self.backwards = [], 0

    @property
    def positive_weights(self):
        return (self.classifier.weight > 0).sum((1, 2, 3))

    def count(self, gradient):
        self.backwards += 1

    def forward(self, images):
        self.forwards.append(len(images))
        features = F.relu(self.first(images))
        if features.requires_grad:
            features.register_hook(self.count)
        return self.classifier(F.relu(self.second(features)))


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture
def network(golden):
    names = {'first': 'conv1', 'second': 'stage4.0', 'classifier': 'classifier'}
    state = {
        f'{mine}.{kind}': golden[f'state.{theirs}.{kind}']
        for mine, theirs in names.items()
        for kind in ('weight', 'bias')
        if f'state.{theirs}.{kind}' in golden
    }
    return Network(state)


@pytest.fixture
def images():
    return torch.randn(3, 3, 24, 32, generator=torch.Generator().manual_seed(0))


def settings(golden, **kwargs):
    return Climbing(
        **{
            'steps': int(golden['iters']),
            'step_size': float(golden['step_size']),
            'coefficient': float(golden['coefficient']),
            'threshold': float(golden['score_threshold']),
            **kwargs,
        }
    )


def test_equals_golden(golden, network):
    """Both classes at once; the pair after the last move is what one more region would be of."""
    views, classes = golden['image_pair'].repeat(2, 1, 1, 1, 1), golden['classes']
    climbing = settings(golden)
    regions, _ = climb(network, views, classes, network.positive_weights, climbing)
    torch.testing.assert_close(regions, golden['cam'], rtol=1e-5, atol=1e-5)
    _, climbed = climb(network, views, classes, network.positive_weights, climbing, climbing.steps + 1)
    torch.testing.assert_close(climbed, golden['climbed'], rtol=1e-5, atol=1e-5)


def test_one_forward_and_one_backward_pass_a_step(golden, network):
    views = golden['image_pair'].repeat(2, 1, 1, 1, 1)
    climb(network, views, golden['classes'], network.positive_weights, settings(golden))
    # the last region needs no move after it
    assert network.forwards == [4] * 5 and network.backwards == 4


def test_whole_maps_equal_golden(golden, network):
    """The pair is made of the image; regions in the units of the class maps, in the order of the pairs."""
    image = golden['image_pair'][:1]
    maps = climbed_maps(network, network.positive_weights, image, [(0, 2), (0, 0)], settings(golden), (6, 8))
    expected = golden['cam'][[1, 0]] * network.positive_weights[[2, 0]][:, None, None]
    torch.testing.assert_close(maps, expected, rtol=1e-5, atol=1e-5)


def test_first_region_is_the_cam(network, images):
    """One step does not climb; a view alone has the whole share, so the map is the class map itself."""
    maps = climbed_maps(
        network, network.positive_weights, images, [(0, 1), (2, 3)], Climbing(steps=1), (6, 8), flip=False
    )
    torch.testing.assert_close(maps, network(images).relu()[[0, 2], [1, 3]])
    classes = [[0], [1, 3], [2]]
    branches, weights = {'spotlight': network}, {'spotlight': network.positive_weights}
    mine = climbed_cams(branches, weights, images, classes, Climbing(steps=1), (1.0, 0.5), flip=False)
    plain = batch_cams(lambda views: {'spotlight': network(views)}, images, classes, (1.0, 0.5), flip=False)
    for one, other in zip(mine, plain):
        np.testing.assert_allclose(one.maps['spotlight'], other.maps['spotlight'], atol=1e-5)
        assert one.classes.tolist() == other.classes.tolist() and one.size == other.size


@pytest.mark.parametrize('flip', [True, False])
def test_score_climbs_and_values_stay_in_range(network, images, flip):
    views = torch.stack([images, images.flip(-1)], 1) if flip else images[:, None]
    classes = torch.tensor([0, 1, 2])
    _, climbed = climb(network, views, classes, network.positive_weights, Climbing(steps=20))

    def scores(views):
        maps = network(views.flatten(0, 1)).relu().mean((2, 3)).unflatten(0, views.shape[:2]).sum(1)
        return maps[torch.arange(3), classes]

    assert (scores(climbed) > scores(views)).all()
    dims = (1, 2, 3, 4)
    assert (climbed.amin(dims) >= views.amin(dims)).all() and (climbed.amax(dims) <= views.amax(dims)).all()
    assert (climbed - views).abs().amax() <= 19 * 0.08 + 1e-5


def test_options_matter(network, images):
    """Each term of the objective, and the step, changes the result; those of a pair that cannot climb do not."""

    def run(**kwargs):
        return climbed_maps(
            network, network.positive_weights, images, [(0, 0), (1, 2)], Climbing(**{'steps': 6, **kwargs}), (6, 8)
        )

    usual = run()
    for change in (
        dict(steps=5),
        dict(step_size=0.02),
        dict(suppression=0.0),
        dict(coefficient=0.0),
        dict(threshold=0.9),
    ):
        assert not torch.allclose(run(**change), usual), change
    torch.testing.assert_close(run(step_size=0.0), 6 * run(steps=1))


def test_regulariser_keeps_the_strongest_from_growing(network, images):
    """With a large coefficient the part that the mask covers stays nearer to what it was."""
    views, classes = images[:1, None], torch.tensor([0])
    drifts = []
    for coefficient in (0.0, 300.0):
        first, _ = climb(network, views, classes, network.positive_weights, Climbing(steps=1))
        _, climbed = climb(
            network,
            views,
            classes,
            network.positive_weights,
            Climbing(steps=20, coefficient=coefficient, suppression=0.0),
        )
        last, _ = climb(network, climbed, classes, network.positive_weights, Climbing(steps=1))
        drifts.append(float((last - first).abs()[first > 0.5 * first.amax()].sum()))
    assert drifts[1] < 0.7 * drifts[0]


@pytest.mark.parametrize('flip', [True, False])
def test_batch_does_not_matter(network, images, flip):
    pairs = [(0, 0), (0, 3), (1, 1), (2, 0), (2, 1)]
    scales = (1.0, 0.5, 1.5)
    together = climbed_maps(network, network.positive_weights, images, pairs, Climbing(steps=8), (6, 8), scales, flip)
    one_by_one = climbed_maps(
        network, network.positive_weights, images, pairs, Climbing(steps=8, max_batch=1), (6, 8), scales, flip
    )
    torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-4)
    alone = climbed_maps(
        network, network.positive_weights, images[2:], [(0, 1)], Climbing(steps=8), (6, 8), scales, flip
    )
    torch.testing.assert_close(together[-1:], alone, rtol=1e-4, atol=1e-4)


def test_memory_is_bounded(network, images):
    pairs = [(index, label) for index in range(3) for label in range(4)]
    climbed_maps(
        network, network.positive_weights, images, pairs, Climbing(steps=1, max_batch=5), (6, 8), (0.5, 1.0, 2.0, 4.0)
    )
    # pairs of views; at twice the size a quarter as many, never none
    assert network.forwards == [10, 10, 4] * 2 + [2] * 12 * 2


def test_released_weighting():
    """Row C4: scale 0.5 has 13 · 2 = 26, the others 27 · 2 = 54."""
    released = Climbing(weighting='released').plan((1.0, 0.5, 2.0))
    assert released == [(1.0, 27, 2.0), (0.5, 13, 2.0), (2.0, 27, 2.0)]
    assert Climbing().plan((1.0, 0.5)) == [(1.0, 27, 1.0), (0.5, 27, 1.0)]
    assert Climbing(weighting='released').plan((1.0, 2.0)) == [(1.0, 27, 1.0), (2.0, 27, 1.0)]
    assert Climbing(steps=8, weighting='released').plan((1.0, 0.5)) == [(1.0, 8, 1.0), (0.5, 5, 1.0)]
    assert Climbing(steps=3, weighting='released').plan((1.0, 0.5)) == [(1.0, 3, 1.0), (0.5, 3, 1.0)]


def test_released_weighting_of_maps(network, images):
    def run(steps, scale, **kwargs):
        return climbed_maps(
            network, network.positive_weights, images, [(0, 0)], Climbing(steps=steps, **kwargs), (6, 8), scale
        )

    torch.testing.assert_close(run(12, (1.0, 0.5), weighting='released'), 2 * run(12, (1.0,)) + 2 * run(6, (0.5,)))


def test_nothing_to_climb(network, images):
    """No class, a class without positive response, and a class without positive weights."""
    branches, weights = {'spotlight': network}, {'spotlight': network.positive_weights}
    cams = climbed_cams(branches, weights, images, [[], [], []], Climbing(steps=2))
    assert [cam.maps['spotlight'].shape for cam in cams] == [(0, 6, 8)] * 3
    network.classifier.weight[1] = -network.classifier.weight[1].abs()
    cams = climbed_cams(branches, {'spotlight': network.positive_weights}, images, [[1], [0], []], Climbing(steps=4))
    assert not cams[0].maps['spotlight'].any() and cams[1].maps['spotlight'].max() == 1
    dead = nn.Conv2d(3, 4, 1).requires_grad_(False)
    dead.weight.zero_()
    dead.bias.fill_(-1)
    maps = climbed_maps(dead, torch.zeros(4, dtype=torch.long), images, [(0, 1)], Climbing(steps=3), (6, 8))
    assert maps.shape == (1, 6, 8) and not maps.any()


def test_works_where_gradients_are_off(network, images):
    network.requires_grad_(True)
    with torch.no_grad():
        maps = climbed_maps(network, network.positive_weights, images, [(0, 0)], Climbing(steps=3), (6, 8))
        assert not torch.is_grad_enabled() and not maps.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(steps=0), 'steps of climbing must be a whole number'),
        (dict(steps=2.5), 'steps of climbing must be a whole number'),
        (dict(max_batch=0), 'max_batch of climbing must be a whole number'),
        (dict(step_size=-1.0), 'step_size of climbing must be at least 0'),
        (dict(coefficient=float('nan')), 'coefficient of climbing must be at least 0'),
        (dict(suppression=-1), 'suppression of climbing must be at least 0'),
        (dict(threshold=1.5), r'threshold of climbing must be in \[0, 1\]'),
        (dict(weighting='mine'), 'weighting of climbing must be one of'),
    ],
)
def test_wrong_options(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Climbing(**kwargs)
