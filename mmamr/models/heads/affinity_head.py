"""Head of AffinityNet (Ahn and Kwak, CVPR 2018, figure 3): the feature whose differences are affinities."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule, kaiming_init, xavier_init
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError


@MODELS.register_module()
class AffinityHead(BaseModule):
    """Bring the last levels of a backbone to one feature map: 1x1 convolutions with ELU, concatenated, and another.

    Levels coarser than the first are resized to it, so the feature has the first level's stride.

    Args:
        in_channels (Sequence[int]): Channels of each level, the finest first.
        channels (Sequence[int]): Channels each level is brought to; the feature has their sum. Defaults to
            (64, 128, 256).
        loss_affinity (dict): Loss on the feature. Defaults to ``dict(type='FeatureAffinityLoss')``.
        init_cfg (dict, optional): Initialisation. Defaults to None: that of the released code.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: Sequence[int] = (64, 128, 256),
        loss_affinity: dict = dict(type='FeatureAffinityLoss'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(channels):
            raise SettingError(f'channels must have one entry a level, got {channels} for {len(in_channels)} levels')
        self.levels = nn.ModuleList(nn.Conv2d(c_in, c, 1, bias=False) for c_in, c in zip(in_channels, channels))
        self.fuse = nn.Conv2d(sum(channels), sum(channels), 1, bias=False)
        self.loss_affinity = MODELS.build(loss_affinity)

    def init_weights(self) -> None:
        super().init_weights()
        if self.init_cfg is None:
            for conv in self.levels:
                kaiming_init(conv, mode='fan_in')
            xavier_init(self.fuse, gain=4, distribution='uniform')

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """
        Args:
            features (Sequence[Tensor]): One feature map ``(N, C_l, h_l, w_l)`` a level, the finest first.

        Returns:
            Tensor: Feature of shape ``(N, sum(channels), h_0, w_0)``.
        """
        size = features[0].shape[-2:]
        levels = [F.elu(conv(x)) for conv, x in zip(self.levels, features, strict=True)]
        levels = [
            x if x.shape[-2:] == size else F.interpolate(x, size, mode='bilinear', align_corners=False) for x in levels
        ]
        return F.elu(self.fuse(torch.cat(levels, dim=1)))

    def loss(self, features: Sequence[Tensor], segmap: Tensor) -> dict[str, Tensor]:
        """Affinity loss of the feature; ``segmap`` is ``(N, h_0, w_0)`` with 255 ignored."""
        return self.loss_affinity(self(features), segmap)
