import torch
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import check_number


@MODELS.register_module()
class GeneralizedCrossEntropyLoss(nn.Module):
    r"""A loss that bears wrong labels: between cross entropy and the mean absolute error.

    .. math:: L_q = \frac{1 - p_y^q}{q}

    where :math:`p_y` is the probability of the pixel's label (`Zhang & Sabuncu, NeurIPS 2018
    <https://arxiv.org/abs/1805.07836>`_). Its gradient is that of cross entropy times :math:`p_y^q`: a pixel whose
    label the model finds improbable pulls less. For a decode head of mmseg::

        loss_decode=dict(type='mmamr.GeneralizedCrossEntropyLoss', q=0.7, background_weight=0.5)

    Args:
        q (float): 0 is cross entropy, 1 the mean absolute error. Defaults to 0.7.
        background_weight (float): Weight of pixels that are labelled as background, class 0, beside 1 of the others.
            The mIoU counts all classes the same, and the larger background would win where the model is not sure.
            Defaults to 1.
        loss_weight (float): Defaults to 1.
        loss_name (str): Name in the log. Defaults to ``'loss_gce'``.
    """

    def __init__(
        self,
        q: float = 0.7,
        background_weight: float = 1.0,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_gce',
    ) -> None:
        super().__init__()
        check_number('q', q, 0, 1)
        check_number('background_weight', background_weight, above=0)
        check_number('loss_weight', loss_weight, 0)
        self.q = q
        self.background_weight = background_weight
        self.loss_weight = loss_weight
        self._loss_name = loss_name

    @property
    def loss_name(self) -> str:
        """What mmseg's heads call it in the log."""
        return self._loss_name

    def forward(
        self, cls_score: Tensor, label: Tensor, weight: Tensor | None = None, ignore_index: int = 255
    ) -> Tensor:
        """
        Args:
            cls_score (Tensor): Logits ``(N, C, H, W)``.
            label (Tensor): Classes ``(N, H, W)``.
            weight (Tensor, optional): Of each pixel, ``(N, H, W)``. Defaults to None: 1.
            ignore_index (int): Label of pixels that do not count. Defaults to 255.

        Returns:
            Tensor: The weighted mean over the pixels that count, a scalar; 0 where there are none.
        """
        counts = label != ignore_index
        label = label.clamp(max=cls_score.shape[1] - 1).long()
        weights = torch.where(label == 0, self.background_weight, 1.0) * counts
        if weight is not None:
            weights = weights * weight
        log_probability = cls_score.float().log_softmax(1).gather(1, label[:, None])[:, 0]
        # (1 - p^q) / q, exact for small q, too
        losses = -log_probability if self.q == 0 else -torch.expm1(self.q * log_probability) / self.q
        return self.loss_weight * (losses * weights).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
