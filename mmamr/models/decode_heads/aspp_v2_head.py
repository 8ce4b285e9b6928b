"""The head of DeepLab-v2."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError


@MODELS.register_module()
class ASPPV2Head(BaseDecodeHead):
    """Atrous spatial pyramid pooling of `DeepLab-v2 <https://arxiv.org/abs/1606.00915>`_ (its "ASPP-L").

    Each branch is one dilated 3x3 convolution straight to the classes, with bias; the logits are their sum. There is no
    normalisation, no activation and no 1x1 convolution after it, as there is in the ASPP of DeepLab-v3.

    Args:
        in_channels (int): Channels of the feature map.
        dilations (Sequence[int]): Rate of each branch. Defaults to (6, 12, 18, 24), meant for an output stride of 8.
        dropout_ratio (float): Dropout of whole channels of the feature map. Defaults to 0.
        init_cfg (dict, optional): Defaults to None: weights from N(0, 0.01²) and biases of 0.
        **kwargs: Of :class:`mmseg.models.decode_heads.decode_head.BaseDecodeHead`, e.g. ``num_classes``, ``in_index``,
            ``loss_decode``.

    Raises:
        ValueError: If there is no rate or one below 1.
    """

    def __init__(
        self,
        in_channels: int,
        dilations: Sequence[int] = (6, 12, 18, 24),
        dropout_ratio: float = 0.0,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        if not dilations or min(dilations) < 1:
            raise SettingError(f'dilations must be rates of at least 1, got {dilations}')
        kwargs.setdefault('channels', in_channels)
        init_cfg = init_cfg or dict(type='Normal', layer='Conv2d', mean=0.0, std=0.01, bias=0.0)
        super().__init__(in_channels, dropout_ratio=dropout_ratio, init_cfg=init_cfg, **kwargs)
        # The base class classifies with one 1x1 convolution; here the branches do.
        del self.conv_seg
        self.convs = nn.ModuleList(
            nn.Conv2d(self.in_channels, self.out_channels, 3, padding=rate, dilation=rate) for rate in dilations
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Logits at the feature map's size.

        Args:
            inputs (Sequence[Tensor]): Feature maps of the backbone.

        Returns:
            Tensor: ``(N, num_classes, h, w)``.
        """
        x = self._transform_inputs(inputs)
        if self.dropout is not None:
            x = self.dropout(x)
        return sum(conv(x) for conv in self.convs)
