import os.path as osp

import numpy as np
import pytest
import torch

from mmamr.refine import random_walk
from mmamr.refine.paths import displacements
from mmamr.refine.random_walk import edge_affinity
from mmamr.refine.transition import chebyshev_weights, transition_matrix

DATA = osp.join(osp.dirname(__file__), '..', 'data')


def rand(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    'dtype, tolerance', [(torch.float64, 1e-5), (torch.float32, 1e-6), (torch.float16, 2e-3), (torch.bfloat16, 1e-2)]
)
def test_golden(dtype, tolerance):
    golden = np.load(osp.join(DATA, 'random_walk.npz'), allow_pickle=False)
    cam, edge = (torch.from_numpy(golden[name]).to(dtype) for name in ('cam', 'edge'))
    walk = random_walk(cam, edge[0], int(golden['radius']), int(golden['beta']), int(golden['exp_times']))
    assert walk.dtype == dtype and walk.shape == cam.shape
    np.testing.assert_allclose(walk.double().numpy(), golden['out'][:, 0], rtol=0, atol=tolerance)


@pytest.mark.parametrize('size', [(6, 9), (1, 7), (7, 1), (3, 3), (2, 11)])
@pytest.mark.parametrize('radius, beta, exp_times', [(1, 10, 8), (2, 1, 0), (3, 2.5, 1), (5, 10, 8), (9, 10, 5)])
def test_equals_dense_power(size, radius, beta, exp_times):
    cam, edge = rand(2, *size), rand(*size, seed=1)
    affinity = edge_affinity(edge, radius)
    matrix = transition_matrix(affinity, displacements(radius), beta).to_dense()
    expected = torch.linalg.matrix_power(matrix, 2**exp_times) @ (cam * (1 - edge)).flatten(1).T
    walk = random_walk(cam, edge, radius, beta, exp_times)
    torch.testing.assert_close(walk.flatten(1).T, expected, rtol=0, atol=1e-12)


def test_transition_matrix_is_a_normalised_symmetric_one():
    affinity = edge_affinity(rand(7, 6), 4)
    matrix = transition_matrix(affinity, displacements(4), 3)
    assert matrix.layout == torch.sparse_csr
    torch.sparse_csr_tensor(
        matrix.crow_indices(), matrix.col_indices(), matrix.values(), matrix.shape, check_invariants=True
    )
    dense = matrix.to_dense()
    torch.testing.assert_close(dense.sum(1), torch.ones(42, dtype=dense.dtype))
    symmetric = dense / dense.diagonal()[:, None]  # the self-affinity is 1
    torch.testing.assert_close(symmetric, symmetric.T)
    k = displacements(4).index((2, -3))
    assert symmetric[6 * 1 + 4, 6 * 3 + 1] == pytest.approx(float(affinity[k, 1, 4]) ** 3)
    assert (affinity[k, -2:] == 0).all() and (affinity[k, :, :3] == 0).all()


def test_edge_affinity_is_one_minus_the_strongest_edge_on_the_way():
    edge = torch.zeros(5, 9)
    edge[:, 4] = 0.75
    affinity = dict(zip(displacements(5), edge_affinity(edge, 5)))
    assert affinity[0, 2][2, 3] == 0.25 and affinity[0, 2][2, 4] == 0.25
    assert affinity[0, 2][2, 1] == 1 and affinity[2, 2][0, 6] == 1


def test_walk_spreads_up_to_a_closed_edge():
    edge = torch.zeros(8, 13)
    edge[:, 6] = 1
    cam = torch.zeros(2, 8, 13)
    cam[0, 2, 2] = 1
    walk = random_walk(cam, edge)
    assert (walk[0, :, :6] > 0.01).all()
    assert walk[0, :, 7:].abs().max() == 0
    assert walk[1].abs().max() == 0


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1), (3, 3), (2, 30), (33, 20)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_constant_without_edges_stays(size, dtype):
    cam = torch.full((3, *size), 0.3, dtype=dtype)
    assert torch.equal(random_walk(cam, torch.zeros(size)), cam)


def test_values_stay_between_the_extremes_and_the_input_is_untouched():
    cam, edge = rand(3, 20, 24, dtype=torch.float32), rand(20, 24, seed=1, dtype=torch.float32)
    before = cam.clone(), edge.clone()
    walk = random_walk(cam.requires_grad_(), edge)
    start = before[0] * (1 - edge)
    assert not walk.requires_grad
    assert (walk.amin((1, 2)) >= start.amin((1, 2))).all() and (walk.amax((1, 2)) <= start.amax((1, 2))).all()
    assert torch.equal(cam, before[0]) and torch.equal(edge, before[1])


def test_channels_together_equal_each_alone():
    cam, edge = rand(20, 11, 12), rand(11, 12, seed=1)
    together = random_walk(cam, edge)
    torch.testing.assert_close(together, torch.cat([random_walk(channel[None], edge) for channel in cam]))
    assert random_walk(cam[:0], edge).shape == (0, 11, 12)


@pytest.mark.parametrize('turn', [lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.transpose(-1, -2)])
def test_flipped_input_gives_flipped_output(turn):
    cam, edge = rand(2, 11, 14), rand(11, 14, seed=1)
    torch.testing.assert_close(random_walk(turn(cam), turn(edge)), turn(random_walk(cam, edge)))


def test_large_map_needs_memory_for_its_pixels_only():
    # The dense matrix would have 9e8 entries, 7 GB in float64.
    cam = rand(1, 150, 200, dtype=torch.float32)
    assert random_walk(cam, torch.zeros(150, 200), radius=2, exp_times=1).shape == cam.shape


def test_autocast_does_not_reach_the_walk():
    cam, edge = rand(2, 6, 7, dtype=torch.float32), rand(6, 7, seed=1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = random_walk(cam, edge)
    assert torch.equal(inside, random_walk(cam, edge))


@pytest.mark.gpu
@pytest.mark.parametrize('dtype, tolerance', [(torch.float64, 1e-10), (torch.float32, 1e-4), (torch.float16, 2e-3)])
def test_gpu_equals_cpu(dtype, tolerance):
    cam, edge = rand(3, 31, 37), rand(31, 37, seed=1)
    walk = random_walk(cam.to('cuda', dtype), edge.to('cuda', dtype))
    assert walk.device.type == 'cuda' and walk.dtype == dtype
    torch.testing.assert_close(walk.cpu().double(), random_walk(cam, edge), rtol=0, atol=tolerance)


@pytest.mark.parametrize('power', [1, 2, 4, 7, 256, 65536])
def test_chebyshev_weights_make_the_power(power):
    x = np.linspace(-1, 1, 101)
    weights = chebyshev_weights(power, 1e-16)
    np.testing.assert_allclose(np.polynomial.chebyshev.chebval(x, weights), x**power, atol=1e-13)
    assert len(weights) <= power + 1
    if power == 256:
        assert len(chebyshev_weights(256, torch.finfo(torch.float32).eps)) < 100


@pytest.mark.parametrize('power', [1, 3])
def test_float32_is_not_worn_by_the_steps(power):
    cam, edge = rand(2, 40, 50, dtype=torch.float32), rand(40, 50, seed=1, dtype=torch.float32) ** power
    walk = random_walk(cam, edge).double()
    torch.testing.assert_close(walk, random_walk(cam.double(), edge.double()), rtol=0, atol=1e-6)


def test_edge_that_leaves_the_bounds_by_a_rounding_error():
    cam, edge = rand(2, 6, 7), rand(6, 7, seed=1).round()
    walk = random_walk(cam, edge + (edge - 0.5) * 2e-7, beta=1.5)
    torch.testing.assert_close(walk, random_walk(cam, edge, beta=1.5))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(cam=torch.rand(5, 6)), 'cam must be'),
        (dict(cam=torch.rand(2, 0, 6), edge=torch.rand(0, 6)), 'at least one pixel'),
        (dict(cam=torch.ones(2, 5, 6, dtype=torch.int64)), 'floating point'),
        (dict(cam=torch.full((2, 5, 6), float('nan'))), 'cam must be finite'),
        (dict(edge=torch.rand(6, 5)), 'edge must have the shape'),
        (dict(edge=torch.rand(1, 5, 6)), 'edge must have the shape'),
        (dict(edge=torch.full((5, 6), 1.5)), r'edge must lie in \[0, 1\]'),
        (dict(edge=torch.full((5, 6), float('nan'))), r'edge must lie in \[0, 1\]'),
        (dict(radius=0), 'radius must be'),
        (dict(radius=2.5), 'radius must be'),
        (dict(beta=0), 'beta must be'),
        (dict(exp_times=-1), 'exp_times must be'),
        (dict(exp_times=1.5), 'exp_times must be'),
    ],
)
def test_wrong_arguments_raise(change, message):
    arguments = dict(cam=torch.rand(2, 5, 6), edge=torch.rand(5, 6))
    arguments.update(change)
    with pytest.raises(ValueError, match=message) as error:
        random_walk(**arguments)
    assert '\n' not in str(error.value)
