"""Affinity losses of IRNet (Ahn et al., CVPR 2019) and AffinityNet (Ahn and Kwak, CVPR 2018)."""

from typing import Any

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmamr.refine.paths import displacements, path
from mmamr.registry import MODELS
from mmamr.utils import check_number

from .pairs import BACKGROUND, DIFFERENT, FOREGROUND, check_radius, pair_labels, shift

# Added to an affinity, and to one minus it, before the logarithm, as both released codes do.
EPS = 1e-5


def mean_over_processes(total: Tensor, count: Tensor, eps: float = EPS) -> Tensor:
    """Divide a sum over pairs by their number, so that the average over processes is the mean over all their pairs.

    Args:
        total (Tensor): Sums over the pairs of this process.
        count (Tensor): Numbers of pairs of this process, of the shape of ``total``.
        eps (float): Added to the number, so that no pairs give zero. Defaults to 1e-5.

    Returns:
        Tensor: Of the shape of ``total``.
    """
    count = count.detach().clone()
    all_reduce(count, op='mean')
    return total / (count + eps)


class _AffinityLoss(nn.Module):
    """Cross entropy of pair affinities: ``bg / 4 + fg / 4 + neg / 2``, each the mean over its pairs.

    Pairs of equal labels should be affine, ``-log(a)``; pairs of different labels should not, ``-log(1 - a)``.
    Background and foreground pairs are averaged apart, because there are many more of the first.

    Args:
        radius (int): Pairs are closer than this, in pixels of the map; at least 2.
        loss_weight (float): Weight of the whole loss. Defaults to 1.0.
    """

    def __init__(self, radius: int, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.radius = check_radius(radius)
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    def _named(self, totals: Tensor, counts: Tensor) -> dict[str, Tensor]:
        background, foreground, different = mean_over_processes(totals, counts) * self.loss_weight
        return dict(loss_affinity_bg=background / 4, loss_affinity_fg=foreground / 4, loss_affinity_neg=different / 2)


@MODELS.register_module()
class PathAffinityLoss(_AffinityLoss):
    """IRNet's affinity loss on an edge map: ``a_ij = 1 - max edge on the path from i to j``.

    The loss of a pair depends on one pixel alone, the strongest edge on its path. So it is enough to count how often
    each pixel is the strongest of a background, foreground or different pair; the logarithms are then taken once a
    pixel and not once a pair, and nothing of the size (pairs x path length) is ever made. Which pixel is the strongest
    is the maximum over shifted views of the ranks of the edge values.

    Args:
        radius (int): Pairs are closer than this, in pixels of the edge map; at least 2. Defaults to 10.
        loss_weight (float): Weight of the whole loss. Defaults to 1.0.
    """

    def __init__(self, radius: int = 10, loss_weight: float = 1.0) -> None:
        super().__init__(radius, loss_weight)

    def forward(self, edge: Tensor, segmap: Tensor) -> dict[str, Tensor]:
        """
        Args:
            edge (Tensor): Edge probabilities of shape ``(N, 1, h, w)``, in [0, 1].
            segmap (Tensor): Labels of shape ``(N, h, w)``; 0 is background, 255 is ignored.

        Returns:
            dict[str, Tensor]: ``loss_affinity_bg``, ``loss_affinity_fg`` and ``loss_affinity_neg``, which add up to the
            loss.
        """
        edge = edge.squeeze(1).float()
        counts = strongest_edge_counts(edge.detach(), segmap, self.radius)
        same = -torch.log(1 - edge + EPS)
        different = -torch.log(edge + EPS)
        totals = (counts * torch.stack((same, same, different))).sum(dim=(1, 2, 3))
        return self._named(totals, counts.sum(dim=(1, 2, 3)))


@torch.no_grad()
def strongest_edge_counts(edge: Tensor, segmap: Tensor, radius: int) -> Tensor:
    """Count the pairs on whose path a pixel is the strongest edge.

    Of equal edges on one path, the one that sorts last counts.

    Args:
        edge (Tensor): Edge map of shape ``(N, h, w)``.
        segmap (Tensor): Labels of shape ``(N, h, w)``; 0 is background, 255 is ignored.
        radius (int): Radius of the pairs in pixels of the map.

    Returns:
        Tensor: Counts of shape ``(3, N, h, w)``, of the dtype of ``edge``: background, foreground and different pairs.
    """
    num, height, width = edge.shape
    order = edge.flatten(1).argsort(dim=1)
    ranks = torch.arange(height * width, dtype=torch.int32, device=edge.device).expand(num, -1)
    ranks = torch.empty_like(ranks, memory_format=torch.contiguous_format).scatter_(1, order, ranks)
    ranks = ranks.view(num, height, width)
    # A cell of the histogram is (kind of pair, image, rank).
    first_cell = torch.arange(num, device=edge.device).view(-1, 1, 1) * (height * width)
    histogram = edge.new_zeros(4 * edge.numel(), dtype=torch.int32)
    for dy, dx in displacements(radius):
        labels = pair_labels(segmap, dy, dx, radius)
        strongest = shift(ranks, 0, 0, radius).clone()
        for y, x in path(dy, dx):
            torch.maximum(strongest, shift(ranks, y, x, radius), out=strongest)
        cells = (labels.long() * edge.numel() + first_cell + strongest).flatten()
        histogram.scatter_add_(0, cells, torch.ones_like(cells, dtype=torch.int32))
    by_rank = histogram.view(4, num, -1)[[BACKGROUND, FOREGROUND, DIFFERENT]]
    by_pixel = torch.empty_like(by_rank).scatter_(2, order.expand(3, -1, -1), by_rank)
    return by_pixel.view(3, num, height, width).to(edge.dtype)


@MODELS.register_module()
class FeatureAffinityLoss(_AffinityLoss):
    """AffinityNet's loss on a feature map: ``a_ij = exp(-mean |f_i - f_j|)``.

    Differences of features are computed again for the gradient instead of being kept, so memory grows with the size of
    the feature, and not with that times the number of pairs of a pixel.

    Args:
        radius (int): Pairs are closer than this, in pixels of the feature map; at least 2. Defaults to 5.
        loss_weight (float): Weight of the whole loss. Defaults to 1.0.
    """

    def __init__(self, radius: int = 5, loss_weight: float = 1.0) -> None:
        super().__init__(radius, loss_weight)

    def forward(self, feature: Tensor, segmap: Tensor) -> dict[str, Tensor]:
        """
        Args:
            feature (Tensor): Features of shape ``(N, C, h, w)``.
            segmap (Tensor): Labels of shape ``(N, h, w)``; 0 is background, 255 is ignored.

        Returns:
            dict[str, Tensor]: ``loss_affinity_bg``, ``loss_affinity_fg`` and ``loss_affinity_neg``, which add up to the
            loss.
        """
        affinity = torch.exp(-_PairDistance.apply(feature.float(), self.radius))
        labels = torch.stack([pair_labels(segmap, dy, dx, self.radius) for dy, dx in displacements(self.radius)])
        same, different = -torch.log(affinity + EPS), -torch.log(1 + EPS - affinity)
        masks = [labels == kind for kind in (BACKGROUND, FOREGROUND, DIFFERENT)]
        totals = torch.stack([(term * mask).sum() for term, mask in zip((same, same, different), masks)])
        return self._named(totals, torch.stack([mask.sum() for mask in masks]).to(totals))


class _PairDistance(torch.autograd.Function):
    """Mean absolute difference of the features of all pairs.

    ``(N, C, h, w)`` and a radius give ``(P, N, h', w')``, one distance for each of the P displacements and each source.
    """

    @staticmethod
    def forward(ctx: Any, feature: Tensor, radius: int) -> Tensor:
        ctx.save_for_backward(feature)
        ctx.radius = radius
        source = shift(feature, 0, 0, radius)
        return torch.stack(
            [(shift(feature, dy, dx, radius) - source).abs_().mean(dim=1) for dy, dx in displacements(radius)]
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (feature,) = ctx.saved_tensors
        source = shift(feature, 0, 0, ctx.radius)
        feature_grad = torch.zeros_like(feature)
        source_grad = shift(feature_grad, 0, 0, ctx.radius)
        for (dy, dx), weight in zip(displacements(ctx.radius), grad / feature.shape[1]):
            difference_grad = (shift(feature, dy, dx, ctx.radius) - source).sign_().mul_(weight.unsqueeze(1))
            shift(feature_grad, dy, dx, ctx.radius).add_(difference_grad)
            source_grad.sub_(difference_grad)
        return feature_grad, None
