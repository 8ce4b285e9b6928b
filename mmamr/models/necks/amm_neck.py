from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from mmamr.registry import MODELS


@MODELS.register_module()
class AMMNeck(BaseModule):
    """AMM after the last feature map, a place that neither the paper nor its released code has (row A1).

    Args:
        in_channels (int): Channels of the last feature map.
        amm (dict): Config of the AMM. Defaults to ``dict(type='AMM')``.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self, in_channels: int, amm: dict = dict(type='AMM'), init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.amm = MODELS.build({'in_channels': in_channels, **amm})

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Modulate the last of the feature maps ``(N, C, H, W)``; the others pass."""
        return (*inputs[:-1], self.amm(inputs[-1]))
