import pytest
import torch

from mmamr.refine.permutohedral import PermutohedralLattice, _simplices


@pytest.mark.parametrize('dim', [1, 2, 3, 5])
def test_shares_are_barycentric_and_corners_give_the_feature_back(dim):
    features = 7 * torch.randn(50, dim, generator=torch.Generator().manual_seed(dim))
    origin, rank, shares = _simplices(features)
    assert (rank.sort(1).values == torch.arange(dim + 1)).all()
    assert shares.min() > -1e-5
    torch.testing.assert_close(shares.sum(1), torch.ones(50))
    # Corner k adds k, less d + 1 where the rank is above d - k; the mean of the corners is the embedded feature,
    # whose differences of neighbouring coordinates are proportional to the feature's own.
    k = torch.arange(dim + 1)[:, None]
    corners = origin[:, None] + k - (dim + 1) * (rank[:, None, :dim] > dim - k)
    embedded = (corners * shares[..., None]).sum(1)
    basis, _, _ = _simplices(torch.zeros(1, dim))
    assert (basis == 0).all()
    linear = torch.linalg.lstsq(features, embedded).solution
    torch.testing.assert_close(features @ linear, embedded, rtol=0, atol=1e-3)


@pytest.mark.parametrize('dim', [1, 2, 3])
def test_filter_is_nearly_a_gaussian(dim):
    generator = torch.Generator().manual_seed(0)
    features = 3 * torch.rand(1500, dim, generator=generator)
    values = features.sin()
    lattice = PermutohedralLattice(features)
    exact = torch.exp(-(torch.cdist(features, features) ** 2) / 2)
    ones = torch.ones(1500, 1)
    filtered = lattice.filter(values) / lattice.filter(ones)
    torch.testing.assert_close(filtered, exact @ values / (exact @ ones), rtol=0, atol=0.06)


def test_filter_is_linear_and_keeps_channels_apart():
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    lattice = PermutohedralLattice(features)
    values = torch.rand(60, 3)
    together = lattice.filter(values)
    torch.testing.assert_close(together, torch.cat([lattice.filter(values[:, c : c + 1]) for c in range(3)], 1))
    torch.testing.assert_close(lattice.filter(2 * values), 2 * together)


def test_points_far_apart_do_not_mix():
    lattice = PermutohedralLattice(torch.tensor([[0.0, 0.0], [40.0, 40.0], [-40.0, 40.0]]))
    filtered = lattice.filter(torch.eye(3))
    assert (filtered.diagonal() > 0).all()
    assert (filtered - filtered.diagonal().diag()).abs().max() == 0


def test_too_wide_a_spread_raises():
    with pytest.raises(ValueError, match='bandwidths are too small'):
        PermutohedralLattice(1e5 * torch.randn(20, 5))
