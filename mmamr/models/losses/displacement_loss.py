"""Displacement loss of IRNet (Ahn et al., CVPR 2019, section 4.1)."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmamr.refine.paths import displacements
from mmamr.registry import MODELS
from mmamr.utils import check_number

from .affinity_loss import mean_over_processes
from .pairs import BACKGROUND, FOREGROUND, check_radius, pair_labels, shift


@MODELS.register_module()
class DisplacementLoss(nn.Module):
    """L1 loss of a displacement field that points every pixel to the centre of its object: ``fg / 2 + bg / 2``.

    If two foreground pixels of one class point to one centre, their displacements differ by what lies between them; two
    background pixels have no centre, and should not differ. The pairs of each offset are computed again for their
    gradient instead of being kept, so memory does not grow with the radius.

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
        displacement = displacement.float()
        totals, counts = displacement.new_zeros(2), displacement.new_zeros(2)
        for dy, dx in displacements(self.radius):
            labels = pair_labels(segmap, dy, dx, self.radius)
            masks = torch.stack([labels == kind for kind in (FOREGROUND, BACKGROUND)])
            totals = totals + checkpoint(self._totals, displacement, masks, dy, dx, use_reentrant=False)
            counts = counts + masks.sum(dim=(1, 2, 3))
        # Rows and columns count as one each.
        foreground, background = mean_over_processes(totals, 2 * counts) * self.loss_weight
        return dict(loss_displacement_fg=foreground / 2, loss_displacement_bg=background / 2)

    def _totals(self, displacement: Tensor, masks: Tensor, dy: int, dx: int) -> Tensor:
        difference = shift(displacement, 0, 0, self.radius) - shift(displacement, dy, dx, self.radius)
        between = difference.new_tensor((dy, dx)).view(1, 2, 1, 1)
        foreground, background = masks.unsqueeze(2)
        return torch.stack((((difference - between).abs() * foreground).sum(), (difference.abs() * background).sum()))
