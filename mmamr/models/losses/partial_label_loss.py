import torch
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import check_number


@MODELS.register_module()
class PartialLabelLoss(nn.Module):
    """Cross entropy where a pixel's class is not known, but one of some candidates it must be.

    ``-log`` of the sum of the probabilities of the candidates: nothing says which of them it is, and any other class
    costs. The mean is over the pixels; 0 where there are none.

    Args:
        loss_weight (float): Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, candidates: Tensor, where: Tensor) -> Tensor:
        """
        Args:
            logits (Tensor): Class scores ``(N, C, H, W)``.
            candidates (Tensor): Which classes an image may have, bool ``(N, C)``.
            where (Tensor): The pixels that count, bool ``(N, H, W)``.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        logits = logits.float()
        allowed = logits.masked_fill(~candidates[..., None, None], -torch.inf).logsumexp(1)
        # pixels that do not count are left out by selection: an image without any candidate must not give inf · 0
        loss = (logits.logsumexp(1) - allowed)[where]
        return self.loss_weight * loss.sum() / max(len(loss), 1)
