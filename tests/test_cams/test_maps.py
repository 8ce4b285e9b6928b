import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmamr.cams import average, mix, normalize_maps, resize_cam, seed, upsample
from mmamr.structures import CAM


def make_cam(**maps):
    maps = {name: np.asarray(value, dtype=np.float16)[None, None] for name, value in maps.items()}
    return CAM(maps, np.array([0]), (4, 8))


class TestNormalizeMaps:
    def test_largest_of_each_is_one(self):
        maps = normalize_maps(torch.tensor([[[-3.0, 1.0], [2.0, 4.0]], [[0.0, 0.5], [0.25, -1.0]]]))
        torch.testing.assert_close(maps, torch.tensor([[[0.0, 0.25], [0.5, 1.0]], [[0.0, 1.0], [0.5, 0.0]]]))

    @pytest.mark.parametrize('value', [0.0, -5.0, 1e-9])
    def test_without_positive_response_stays_zero(self, value):
        maps = normalize_maps(torch.full((2, 3, 4), value))
        assert torch.equal(maps, torch.zeros(2, 3, 4))

    def test_maps_do_not_see_each_other(self):
        maps = torch.randn(5, 3, 4)
        together = normalize_maps(maps)
        for one, alone in zip(together, maps):
            assert torch.equal(one, normalize_maps(alone[None])[0])

    def test_no_maps(self):
        assert normalize_maps(torch.zeros(0, 3, 4)).shape == (0, 3, 4)


class TestAverage:
    def test_each_branch_for_itself(self):
        cams = [
            make_cam(spotlight=[1.0, 0.25], compensation=[0.0, 1.0]),
            make_cam(spotlight=[0.0, 0.75], compensation=[0.0, 0.0]),
        ]
        mean = average(cams)
        np.testing.assert_array_equal(mean.maps['spotlight'][0, 0], [0.5, 0.5])
        np.testing.assert_array_equal(mean.maps['compensation'][0, 0], [0.0, 0.5])
        assert mean.size == cams[0].size and list(mean.classes) == [0]

    def test_of_one_is_itself(self):
        cam = make_cam(spotlight=[1.0, 0.25])
        np.testing.assert_array_equal(average([cam]).maps['spotlight'], cam.maps['spotlight'])

    @pytest.mark.parametrize('change', [dict(classes=np.array([1])), dict(size=(5, 8)), dict(maps={})])
    def test_of_different_things(self, change):
        cam = make_cam(spotlight=[1.0, 0.25])
        with pytest.raises(ValueError, match='can be averaged only where'):
            average([cam, dataclasses.replace(cam, **change)])


class TestMix:
    @pytest.mark.parametrize(
        'xi, expected', [(1.0, [1.0, 0.25]), (0.0, [0.0, 0.75]), (0.5, [0.5, 0.5]), (0.25, [0.25, 0.625])]
    )
    def test_recalibration(self, xi, expected):
        cam = make_cam(spotlight=[1.0, 0.25], compensation=[0.0, 0.75])
        mixed = mix(cam, xi)
        assert mixed.dtype == np.float32
        np.testing.assert_array_equal(mixed[0, 0], expected)

    def test_half_is_the_default(self):
        cam = make_cam(spotlight=[1.0, 0.25], compensation=[0.0, 0.75])
        np.testing.assert_array_equal(mix(cam), mix(cam, 0.5))

    @pytest.mark.parametrize('name', ['spotlight', 'walk', 'someone-elses'])
    def test_one_branch_is_itself(self, name):
        np.testing.assert_array_equal(mix(make_cam(**{name: [0.5, 1.0]}), 0.1)[0, 0], [0.5, 1.0])

    @pytest.mark.parametrize('xi', [-0.1, 1.1, float('nan')])
    def test_coefficient_is_in_the_unit_interval(self, xi):
        with pytest.raises(ValueError, match='ξ must be in'):
            mix(make_cam(spotlight=[1.0], compensation=[1.0]), xi)

    def test_unknown_branches(self):
        with pytest.raises(ValueError, match='only spotlight and compensation can be mixed'):
            mix(make_cam(spotlight=[1.0], other=[1.0]))


class TestUpsample:
    def test_bilinear(self):
        maps = np.random.default_rng(0).random((2, 4, 5)).astype(np.float16)
        expected = F.interpolate(torch.from_numpy(maps).float()[None], (15, 18), mode='bilinear')[0]
        result = upsample(maps, (15, 18))
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, expected.numpy())

    def test_no_maps(self):
        assert upsample(np.zeros((0, 4, 5)), (15, 18)).shape == (0, 15, 18)

    def test_views(self):
        maps = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        np.testing.assert_array_equal(upsample(maps[:, ::-1], (6, 8)), upsample(maps[:, ::-1].copy(), (6, 8)))


class TestSeed:
    def test_largest_map_over_the_threshold(self):
        maps = np.array([[[0.9, 0.1, 0.2]], [[0.8, 0.3, 0.1]]], dtype=np.float32)
        np.testing.assert_array_equal(seed(maps, [4, 2], 0.3), [[5, 3, 0]])
        assert seed(maps, [4, 2], 0.3).dtype == np.uint8

    def test_threshold_is_reached_by_itself(self):
        maps = np.array([[[0.3, np.nextafter(np.float32(0.3), np.float32(0))]]], dtype=np.float32)
        np.testing.assert_array_equal(seed(maps, [0], 0.3), [[1, 0]])

    def test_no_class_is_all_background(self):
        np.testing.assert_array_equal(seed(np.zeros((0, 2, 3)), [], 0.0), np.zeros((2, 3)))


def test_cams_at_another_size():
    cam = CAM({'spotlight': np.zeros((2, 4, 6), np.float16)}, np.array([1, 3]), (16, 24))
    cam.maps['spotlight'][0, 1, 2] = 1
    assert resize_cam(cam, (16, 24)) is cam
    large = resize_cam(cam, (64, 95), peak='class')
    assert large.size == (64, 95) and large.classes.tolist() == [1, 3]
    maps = large.maps['spotlight']
    assert maps.shape == (2, 16, 24) and maps.dtype == np.float32
    assert maps[0].max() == 1 and maps[1].max() == 0  # no response stays none
    assert np.unravel_index(maps[0].argmax(), maps[0].shape) in [(y, x) for y in (5, 6) for x in (9, 10)]
    small = resize_cam(large, (16, 24))
    assert small.maps['spotlight'].shape == (2, 4, 6) and 0.2 < small.maps['spotlight'][0, 1, 2] < 1
    none = CAM({'spotlight': np.zeros((0, 4, 6))}, np.zeros(0, int), (16, 24))
    assert resize_cam(none, (32, 48), peak='class').maps['spotlight'].shape == (0, 8, 12)


def test_scores_of_a_walk_at_another_size():
    """The largest of the foreground becomes 1 again, and the background keeps its relation to it."""
    maps = np.array([[[0.5, 1.0]], [[0.25, 0.25]]])
    cam = CAM({'walk': maps}, np.array([0, 1]), (4, 8), np.full((1, 1, 2), 2.0), np.array([4.0]))
    large = resize_cam(cam, (3, 16), peak='image')
    assert large.maps['walk'].max() == 1 and large.maps['walk'][1].tolist() == [[0.25] * 4]
    assert large.background.tolist() == [[[2.0] * 4]] and large.powers.tolist() == [4.0]
    half = resize_cam(cam, (4, 4), peak='image')
    np.testing.assert_allclose(half.maps['walk'], [[[1.0]], [[1 / 3]]])
    np.testing.assert_allclose(half.background, [[[2 / 0.75]]])
