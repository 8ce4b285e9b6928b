"""Displacement loss of IRNet (Ahn et al., CVPR 2019, section 4.1)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmamr.refine.paths import displacements
from mmamr.registry import MODELS
from mmamr.utils import check_number

from .affinity_loss import mean_over_processes
from .pairs import BACKGROUND, FOREGROUND, check_radius, pair_labels, shift


@MODELS.register_module()
class DisplacementLoss(nn.Module):
    """L1 loss of a displacement field that points every pixel to the centre of its object: ``fg / 2 + bg / 2``.

    If two foreground pixels of one class point to one centre, their displacements differ by what lies between them; two
    background pixels have no centre, and should not differ. Nothing of a pair is kept for the gradient, so memory
    does not grow with the radius.

    Args:
        radius (int): Pairs are closer than this, in pixels of the field; at least 2. Defaults to 10.
        loss_weight (float): Weight of the whole loss. Defaults to 1.0.
    """

    def __init__(self, radius: int = 10, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.radius = check_radius(radius)
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    def forward(self, displacement: Tensor, segmap: Tensor) -> dict[str, Tensor]:
        """
        Args:
            displacement (Tensor): Field of shape ``(N, 2, h, w)``: rows and columns, in pixels of the field.
            segmap (Tensor): Labels of shape ``(N, h, w)``; 0 is background, 255 is ignored.

        Returns:
            dict[str, Tensor]: ``loss_displacement_fg`` and ``loss_displacement_bg``, which add up to the loss.
        """
        totals, counts = _Totals.apply(displacement.float(), segmap, self.radius)
        # Rows and columns count as one each.
        foreground, background = mean_over_processes(totals, 2 * counts) * self.loss_weight
        return dict(loss_displacement_fg=foreground / 2, loss_displacement_bg=background / 2)


class _Totals(torch.autograd.Function):
    """Sums over the foreground and the background pairs, and their numbers, both ``(2, )``.

    The gradient of a sum is made of signs, which are added up where the difference is at hand: nothing of a pair is
    kept, and nothing is computed again.
    """

    @staticmethod
    def forward(ctx: Any, displacement: Tensor, segmap: Tensor, radius: int) -> tuple[Tensor, Tensor]:
        field = displacement.detach().contiguous()
        totals, counts = field.new_zeros(2), field.new_zeros(2)
        gradients = field.new_zeros(2, *field.shape) if ctx.needs_input_grad[0] else None
        source = shift(field, 0, 0, radius)
        for dy, dx in displacements(radius):
            labels = pair_labels(segmap, dy, dx, radius)
            difference = source - shift(field, dy, dx, radius)
            between = difference.new_tensor((dy, dx)).view(1, 2, 1, 1)
            for place, (kind, wanted) in enumerate(((FOREGROUND, between), (BACKGROUND, torch.zeros_like(between)))):
                mask = (labels == kind).unsqueeze(1).to(field.dtype)
                error = (difference - wanted).mul_(mask)
                totals[place] += error.abs().sum()
                counts[place] += mask.sum()
                if gradients is not None:
                    error.sign_()
                    shift(gradients[place], 0, 0, radius).add_(error)
                    shift(gradients[place], dy, dx, radius).sub_(error)
        if gradients is not None:
            ctx.save_for_backward(gradients)
        ctx.mark_non_differentiable(counts)
        return totals, counts

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _grad_counts: Tensor) -> tuple[Tensor, None, None]:
        (gradients,) = ctx.saved_tensors
        return grad[0] * gradients[0] + grad[1] * gradients[1], None, None
