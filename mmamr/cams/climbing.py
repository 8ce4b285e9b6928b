"""Adversarial climbing: CAMs that grow while the image is pushed up the score of its class (AdvCAM).

Lee et al., Anti-Adversarially Manipulated Attributions for Weakly and Semi-Supervised Semantic Segmentation, CVPR 2021;
rows C1, C2 and C4 of ``docs/advanced_guides/paper-and-released-code.md``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmamr.structures import CAM, strided_size
from mmamr.utils import check_choice, check_number

from .maps import normalize_maps
from .multi_scale import resize_images

BranchMaps = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Climbing:
    r"""How images climb.

    The image :math:`x` is moved by ``step_size`` :math:`\nabla / \max |\nabla|` up the gradient of

    .. math:: y_c - s \sum_{k \ne c} y_k - \lambda \sum M \odot |A - A_0|, \quad M = [A > \tau \max A]

    where y are the scores of the classes (their ReLU'd maps, averaged) and A is the region of class c, :math:`A_0` that
    of the image as it was.

    Args:
        steps (int): Number of regions that are added up: that of the image itself, and those after each of
            ``steps - 1`` moves. 1 does not climb. Defaults to 27.
        step_size (float): The largest change of a value in one move, in units of the normalised image. Defaults to
            0.08.
        suppression (float): s, weight of the scores of all other classes. Defaults to 1.
        coefficient (float): λ, weight of the regulariser, which keeps the most telling part of the object from
            growing further. Defaults to 7.
        threshold (float): τ in [0, 1]: where the regulariser holds. Defaults to 0.5.
        weighting (str): ``'equal'``: each scale climbs ``steps``. ``'released'``: of more than 10 steps scale 0.5
            climbs half, and the regions of all scales count twice, as a factor that was meant for it stays (row C4); of
            10 or fewer it climbs 5 at most, and all count once. Defaults to ``'equal'``.
        max_batch (int): Pairs of image and class that climb at once, each with its mirror image; it bounds the memory,
            so that larger scales take fewer. Defaults to 8.

    Raises:
        ValueError: If a setting is out of its range.
    """

    WEIGHTINGS = ('equal', 'released')

    steps: int = 27
    step_size: float = 0.08
    suppression: float = 1.0
    coefficient: float = 7.0
    threshold: float = 0.5
    weighting: str = 'equal'
    max_batch: int = 8

    def __post_init__(self) -> None:
        for name in ('steps', 'max_batch'):
            check_number(f'{name} of climbing', getattr(self, name), 1, whole=True)
        for name in ('step_size', 'suppression', 'coefficient'):
            check_number(f'{name} of climbing', getattr(self, name), 0)
        check_number('threshold of climbing', self.threshold, 0, 1)
        check_choice('weighting of climbing', self.weighting, self.WEIGHTINGS)

    def plan(self, scales: Sequence[float]) -> list[tuple[float, int, float]]:
        """How each scale climbs.

        Args:
            scales (Sequence[float]): Factors of the image's size.

        Returns:
            list[tuple[float, int, float]]: Scale, its steps, and the weight of its regions, in the order of ``scales``.
        """
        if self.weighting == 'equal' or 0.5 not in scales:
            return [(scale, self.steps, 1.0) for scale in scales]
        half, weight = (self.steps // 2, 2.0) if self.steps > 10 else (min(self.steps, 5), 1.0)
        return [(scale, half if scale == 0.5 else self.steps, weight) for scale in scales]


def climb(
    branch_maps: BranchMaps,
    views: Tensor,
    classes: Tensor,
    positive_weights: Tensor,
    climbing: Climbing,
    steps: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Let pairs of image and class climb, each for itself.

    A step is one forward and one backward pass. The region of a pair is Grad-CAM's, in closed form: for the class c of
    a global average pooling and a linear classifier the weights of Grad-CAM are those of the classifier but for one
    positive factor (row C2). That is, over all positions of all views of the pair, the share of positions with a
    positive response that lie in this view, divided by the number of positive weights of class c.

    Args:
        branch_maps (Callable): Returns the class maps ``(N, C, h, w)`` before ReLU of images ``(N, 3, H, W)``.
        views (Tensor): ``(P, V, 3, H, W)``: one normalised image (V = 1), or an image and its mirror image (V = 2),
            which climb together.
        classes (Tensor): Class of each pair, ``(P, )``.
        positive_weights (Tensor): Number of the classifier's positive weights for each class, ``(C, )``.
        climbing (Climbing): How to climb.
        steps (int, optional): Takes the place of ``climbing.steps``. Defaults to None.

    Returns:
        tuple[Tensor]: The sum of the regions over all steps, the mirror image's mirrored back and added,
        ``(P, h, w)`` in float32; and the views that the last of these regions is of, ``(P, V, 3, H, W)``.
    """
    steps = climbing.steps if steps is None else steps
    factor = 1 / positive_weights[classes].clamp(min=1).float()
    total = first = torch.zeros(())
    with torch.enable_grad():
        for step in range(steps):
            views = views.detach().requires_grad_(step + 1 < steps)
            maps = branch_maps(views.flatten(0, 1).contiguous(memory_format=torch.channels_last))
            maps = (maps if maps.dtype == torch.float64 else maps.float()).relu().unflatten(0, views.shape[:2])
            region = add_views(maps, classes, factor)
            first = region.detach() if step == 0 else first
            total = region.detach() if step == 0 else total + region.detach()
            if views.requires_grad:
                gain = objective(maps, classes, region, first, climbing)
                (gradient,) = torch.autograd.grad(gain.sum(), views)
                views = ascend(views.detach(), gradient, climbing.step_size)
    return total, views.detach()


def add_views(maps: Tensor, classes: Tensor, factor: Tensor) -> Tensor:
    """Regions of the pairs: Grad-CAM of both views, the mirror image's mirrored back.

    Args:
        maps (Tensor): ReLU'd class maps ``(P, V, C, h, w)``.
        classes (Tensor): ``(P, )``.
        factor (Tensor): Of each pair, ``(P, )``.

    Returns:
        Tensor: ``(P, h, w)``.
    """
    own = maps[torch.arange(len(maps), device=maps.device), :, classes]
    positive = (own > 0).sum((2, 3), keepdim=True)
    own = own * (positive / positive.sum(1, keepdim=True).clamp(min=1)) * factor[:, None, None, None]
    return own[:, 0] if own.shape[1] == 1 else own[:, 0] + own[:, 1].flip(-1)


def objective(maps: Tensor, classes: Tensor, region: Tensor, first: Tensor, climbing: Climbing) -> Tensor:
    """What climbs, one value a pair ``(P, )``; arguments as in :func:`climb` and :func:`add_views`."""
    scores = maps.mean((3, 4)).sum(1)
    own = scores.gather(1, classes[:, None])[:, 0]
    others = scores.sum(1) - own
    mask = region.detach() > climbing.threshold * region.detach().amax((1, 2), keepdim=True)
    drift = ((region - first).abs() * mask).sum((1, 2))
    return own - climbing.suppression * others - climbing.coefficient * drift


def ascend(views: Tensor, gradient: Tensor, step_size: float) -> Tensor:
    """Move views ``(P, V, 3, H, W)`` along their gradient, within the range of values that each pair has."""
    dims = (1, 2, 3, 4)
    largest = gradient.abs().amax(dims, keepdim=True).clamp(min=1e-12)
    low, high = views.amin(dims, keepdim=True), views.amax(dims, keepdim=True)
    return (views + step_size * gradient / largest).clamp(low, high)


def climbed_maps(
    branch_maps: BranchMaps,
    positive_weights: Tensor,
    images: Tensor,
    pairs: Sequence[tuple[int, int]],
    climbing: Climbing,
    size: tuple[int, int],
    scales: Sequence[float] = (1.0,),
    flip: bool = True,
) -> Tensor:
    """Sum of the regions of pairs of image and class over steps and scales, in the units of the class maps.

    The result for a pair does not depend on the others, as long as ``branch_maps`` treats each image for itself.

    Args:
        branch_maps (Callable): Returns the class maps ``(N, C, h, w)`` of one branch before ReLU.
        positive_weights (Tensor): Number of the classifier's positive weights for each class, ``(C, )``.
        images (Tensor): Normalised images of one size, ``(N, 3, H, W)``.
        pairs (Sequence[tuple[int, int]]): Number of the image and class.
        climbing (Climbing): How to climb.
        size (tuple[int, int]): Height and width of the result.
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether each image climbs together with its mirror image. Defaults to True.

    Returns:
        Tensor: ``(len(pairs), *size)`` in float32, not normalised.
    """
    sums = torch.zeros(len(pairs), *size, device=images.device)
    owners, classes = torch.tensor(pairs, dtype=torch.long, device=images.device).reshape(-1, 2).unbind(1)
    for scale, steps, weight in climbing.plan(scales):
        views = resize_images(images, scale)[:, None]
        views = torch.cat([views, views.flip(-1)], 1) if flip else views
        at_once = max(int(climbing.max_batch / max(scale, 1) ** 2), 1)
        for start in range(0, len(pairs), at_once):
            part = slice(start, start + at_once)
            regions, _ = climb(branch_maps, views[owners[part]], classes[part], positive_weights, climbing, steps)
            sums[part] += weight * F.interpolate(regions[:, None], size, mode='bilinear', align_corners=False)[:, 0]
    return sums * positive_weights[classes].clamp(min=1)[:, None, None]


def climbed_cams(
    branches: dict[str, BranchMaps],
    positive_weights: dict[str, Tensor],
    images: Tensor,
    classes: Sequence[Sequence[int]],
    climbing: Climbing,
    scales: Sequence[float] = (1.0,),
    flip: bool = True,
) -> list[CAM]:
    """CAMs of images of one size with adversarial climbing, each for its own classes; the branches climb apart.

    Args:
        branches (dict[str, Callable]): Branch name to what returns its class maps ``(N, C, h, w)`` before ReLU.
        positive_weights (dict[str, Tensor]): Branch name to the number of its classifier's positive weights for each
            class, ``(C, )``.
        images (Tensor): Normalised images ``(N, 3, H, W)``.
        classes (Sequence[Sequence[int]]): Foreground classes of each image, counted from 0; none is allowed.
        climbing (Climbing): How to climb.
        scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
        flip (bool): Whether each image climbs together with its mirror image. Defaults to True.

    Returns:
        list[CAM]: One an image, its classes ascending.
    """
    height, width = images.shape[2:]
    size = (height, width)
    wanted = [np.unique(np.asarray(one, dtype=np.int64)) for one in classes]
    pairs = [(index, label) for index, one in enumerate(wanted) for label in one.tolist()]
    ends = np.cumsum([len(one) for one in wanted])[:-1]
    maps: list[dict[str, np.ndarray]] = [{} for _ in wanted]
    for branch, branch_maps in branches.items():
        sums = climbed_maps(
            branch_maps, positive_weights[branch], images, pairs, climbing, strided_size(size), scales, flip
        )
        for one, part in zip(maps, np.split(normalize_maps(sums).cpu().numpy(), ends)):
            one[branch] = part
    return [CAM(one, labels, size) for one, labels in zip(maps, wanted)]
