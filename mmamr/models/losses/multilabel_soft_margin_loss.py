import torch.nn.functional as F
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import check_number


@MODELS.register_module()
class MultiLabelSoftMarginLoss(nn.Module):
    """L_cls of eq. 9: the mean over classes of the binary cross entropies, then over the batch.

    mmpretrain's multi-label head sums over classes instead, which is N times larger.

    Args:
        loss_weight (float): Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """
        Args:
            logits (Tensor): Class scores ``(N, num_classes)``.
            labels (Tensor): Zeros and ones ``(N, num_classes)``.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        return self.loss_weight * F.multilabel_soft_margin_loss(logits.float(), labels.float())
