import numpy as np
import pytest
import torch

from mmamr.cams import FeatureMoments, discriminant, foreground_of, spread_cam
from mmamr.structures import CAM
from mmamr.utils import InputError


def photos(count=6, channels=5, seed=0):
    """Features and foreground of some photos: objects differ from the background along one direction."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.randn(channels, generator=generator)
    result = []
    for _ in range(count):
        size = torch.randint(4, 9, (2,), generator=generator).tolist()
        objects = (torch.rand(*size, generator=generator) > 0.6).float()
        noise = torch.randn(channels, *size, generator=generator)
        result.append((0.5 * noise + objects * axis[:, None, None], objects))
    return axis, result


def test_the_direction_is_that_of_fisher():
    _, samples = photos()
    moments = FeatureMoments()
    for features, objects in samples:
        moments.add(features, objects)
    direction, mean = discriminant(moments, regularization=0.1)
    # the same from all pixels at once, each photo counting the same
    flat = np.concatenate([features.flatten(1).T.double().numpy() for features, _ in samples])
    weight = np.concatenate([np.full(objects.numel(), 1 / objects.numel()) for _, objects in samples])
    objects = np.concatenate([objects.flatten().double().numpy() for _, objects in samples])
    center = np.average(flat, axis=0, weights=weight)
    scatter = np.cov(flat.T, aweights=weight, bias=True)
    gap = np.average(flat, axis=0, weights=weight * objects) - np.average(flat, axis=0, weights=weight * (1 - objects))
    expected = np.linalg.solve(scatter + 0.1 * np.diag(scatter).mean() * np.eye(5), gap)
    np.testing.assert_allclose(mean, center, atol=1e-6)
    np.testing.assert_allclose(direction, expected, rtol=1e-5, atol=1e-6)


def test_no_order_of_photos_and_no_split_leaves_a_trace():
    _, samples = photos(20)
    one, other, rest = FeatureMoments(), FeatureMoments(), FeatureMoments()
    for features, objects in samples:
        one.add(features, objects)
    for index, (features, objects) in enumerate(reversed(samples)):
        (other if index % 3 else rest).add(features, objects)
    together = FeatureMoments(other.sums + rest.sums)
    assert torch.equal(one.sums, together.sums)
    assert all(torch.equal(a, b) for a, b in zip(discriminant(one), discriminant(together)))


def test_what_cams_cover_in_part_is_found_whole():
    _, samples = photos(40)
    moments = FeatureMoments()
    generator = torch.Generator().manual_seed(1)
    for features, objects in samples:  # only some pixels of the objects, and a few of the background
        noise = torch.rand(objects.shape, generator=generator)
        moments.add(features, ((objects > 0) & (noise < 0.4) | (noise > 0.95)).float())
    axes = discriminant(moments)
    right = []
    for features, objects in samples:
        found = foreground_of([features], [axes], tuple(objects.shape))
        assert found.min() >= 0 and found.max() == 1
        right.append(((found > 0.3) == (objects > 0)).float().mean())
    assert np.mean(right) > 0.9


def test_layers_count_the_same_and_are_brought_to_one_size():
    _, samples = photos(8)
    moments = FeatureMoments()
    for features, objects in samples:
        moments.add(features, objects)
    axes = discriminant(moments)
    features = samples[0][0]
    once = foreground_of([features], [axes], (20, 24))
    assert once.shape == (20, 24)
    # twice the same, of another length, is the same
    torch.testing.assert_close(foreground_of([features, features], [axes, (3 * axes[0], axes[1])], (20, 24)), once)


@pytest.mark.parametrize('add', [[], [0.0, 0.0], [1.0, 1.0]], ids=['no photo', 'nothing', 'everything'])
def test_nothing_to_tell_apart(add):
    moments = FeatureMoments()
    for value in add:
        moments.add(torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0)), torch.full((4, 4), value))
    assert discriminant(moments) is None


@pytest.mark.parametrize('value', [float('nan'), float('inf'), 1e6])
def test_features_that_are_none(value):
    features = torch.ones(3, 4, 4)
    features[1, 2, 3] = value
    with pytest.raises(InputError, match='choose other layers'):
        FeatureMoments().add(features, torch.ones(4, 4))


class TestSpreadCAM:
    foreground = torch.tensor([[1.0, 0.5, 0.0], [1.0, 1.0, 0.25]])

    def test_one_class(self):
        maps = np.array([[[1.0, 0.0, 0.0], [0.5, 0.0, 0.0]]], dtype=np.float32)
        cam = spread_cam(CAM({'spotlight': maps}, np.array([4]), (8, 12)), maps, self.foreground, weight=0.8)
        assert list(cam.maps) == ['foreground'] and cam.classes.tolist() == [4] and cam.size == (8, 12)
        np.testing.assert_allclose(cam.maps['foreground'][0], 0.2 * maps[0] + 0.8 * self.foreground.numpy(), rtol=1e-6)

    def test_cams_decide_between_classes(self):
        maps = np.array([[[1.0, 0.1, 0.0], [0.4, 0.0, 0.0]], [[0.1, 1.0, 0.0], [0.2, 0.8, 0.0]]], dtype=np.float32)
        cam = spread_cam(CAM({'spotlight': maps}, np.array([0, 2]), (8, 12)), maps, self.foreground)
        first, second = cam.maps['foreground']
        assert first.max() == second.max() == 1
        assert first[0, 0] > second[0, 0] and first[0, 1] < second[0, 1] and first[1, 1] < second[1, 1]
        # where no CAM says anything the foreground counts for both
        assert first[1, 2] > 0.1 and second[1, 2] > 0.1

    def test_weights_of_one_and_nothing(self):
        maps = np.array([[[1.0, 0.0, 0.0], [0.5, 0.0, 0.0]]], dtype=np.float32)
        cam = CAM({'spotlight': maps}, np.array([0]), (8, 12))
        np.testing.assert_array_equal(spread_cam(cam, maps, self.foreground, 0).maps['foreground'], maps)
        np.testing.assert_allclose(spread_cam(cam, maps, self.foreground, 1).maps['foreground'][0], self.foreground)

    def test_no_tags(self):
        maps = np.zeros((0, 2, 3), dtype=np.float32)
        cam = spread_cam(CAM({'spotlight': maps}, np.zeros(0, dtype=np.int64), (8, 12)), maps, self.foreground)
        assert cam.maps['foreground'].shape == (0, 2, 3)
