import os.path as osp

import numpy as np
import pytest
import torch

from mmamr.refine import affinity_walk, displacements, feature_affinity
from mmamr.refine.transition import transition_matrix

DATA = osp.join(osp.dirname(__file__), '..', 'data')


@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_golden(dtype, tolerance):
    golden = np.load(osp.join(DATA, 'affinitynet.npz'), allow_pickle=False)
    cam, feature = (torch.from_numpy(golden[name]).to(dtype) for name in ('cam', 'feature'))
    walk = affinity_walk(cam, feature[0], int(golden['radius']), int(golden['beta']), int(golden['exp_times']))
    assert walk.dtype == dtype
    np.testing.assert_allclose(walk.double().numpy(), golden['walk'], rtol=0, atol=tolerance)


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (4, 3), (9, 12)])
@pytest.mark.parametrize('border', [None, 0, 2])
def test_equals_dense_power(size, border):
    feature = torch.rand(6, *size, dtype=torch.float64)
    cam = torch.rand(2, *size, dtype=torch.float64)
    matrix = transition_matrix(feature_affinity(feature, 5, border), displacements(5), 8).to_dense()
    expected = torch.linalg.matrix_power(matrix, 64) @ cam.flatten(1).T
    walk = affinity_walk(cam, feature, exp_times=6, border=border)
    torch.testing.assert_close(walk.flatten(1).T, expected)


def test_affinity_of_pairs():
    feature = torch.rand(3, 8, 11, dtype=torch.float64)
    inner = dict(zip(displacements(4), feature_affinity(feature, 4)))
    every = dict(zip(displacements(4), feature_affinity(feature, 4, border=0)))
    expected = torch.exp(-(feature[:, 2, 5] - feature[:, 4, 3]).abs().mean())
    assert inner[2, -2][2, 5] == pytest.approx(float(expected)) and every[2, -2][2, 5] == pytest.approx(float(expected))
    # Sources lie inside of the border, and every pair lies inside of the map.
    assert {tuple(p) for p in (inner[2, -2] > 0).nonzero().tolist()} == {(y, x) for y in range(5) for x in range(3, 8)}
    assert {tuple(p) for p in (every[2, -2] > 0).nonzero().tolist()} == {(y, x) for y in range(6) for x in range(2, 11)}


def test_map_within_the_border_has_no_pairs():
    cam, feature = torch.rand(2, 4, 8), torch.rand(5, 4, 8)
    torch.testing.assert_close(affinity_walk(cam, feature), cam)
    assert not torch.allclose(affinity_walk(cam, feature, border=0), cam, atol=0.1)


def test_half_precision_is_computed_in_float32():
    cam, feature = torch.rand(2, 12, 14), torch.rand(5, 12, 14)
    half = affinity_walk(cam.half(), feature.half())
    assert half.dtype == torch.float16
    torch.testing.assert_close(half, affinity_walk(cam.half().float(), feature.half().float()).half())


@pytest.mark.gpu
def test_gpu_equals_cpu():
    cam, feature = torch.rand(2, 12, 14), torch.rand(5, 12, 14)
    walk = affinity_walk(cam.cuda(), feature.cuda())
    assert walk.device.type == 'cuda'
    torch.testing.assert_close(walk.cpu(), affinity_walk(cam, feature), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    'feature', [torch.rand(5, 6), torch.rand(4, 6, 5), torch.rand(0, 5, 6), torch.full((4, 5, 6), float('inf'))]
)
def test_wrong_feature_raises(feature):
    with pytest.raises(ValueError, match='feature must be'):
        affinity_walk(torch.rand(2, 5, 6), feature)


def test_wrong_border_raises():
    with pytest.raises(ValueError, match='border must be'):
        affinity_walk(torch.rand(2, 5, 6), torch.rand(4, 5, 6), border=-1)
