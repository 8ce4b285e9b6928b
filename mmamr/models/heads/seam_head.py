"""Head of SEAM (Wang et al., CVPR 2020, section 3.3): a classifier, and the correlation of pixels that refines it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule, kaiming_init, xavier_init
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError

from .cam_head import CAMHead

EPS = 1e-5
# Similarities that are in memory at once.
MAX_SIMILARITIES = 2**25


def background_and_best(maps: Tensor) -> Tensor:
    """Class maps as SEAM's pixel correlation module spreads them: background, and at each pixel its best class only.

    Args:
        maps (Tensor): Class maps ``(N, C, h, w)`` before ReLU.

    Returns:
        Tensor: ``(N, 1 + C, h, w)`` in [0, 1]: each class divided by its maximum, then set to 0 where another is
        larger; the first is one minus the largest class. Without gradient.
    """
    maps = maps.detach().float().relu()
    maps = (maps - EPS).relu() / (maps.amax((2, 3), keepdim=True) + EPS)
    best = maps.amax(1, keepdim=True)
    return torch.cat([1 - best, maps * (maps >= best)], 1)


class PixelCorrelationModule(BaseModule):
    """Spread maps over pixels with similar features: each pixel becomes the mean of all, weighted by their similarity.

    The similarity is the cosine of embedded features, cut at 0. It is computed for some pixels at a time, so no matrix
    ``(hw, hw)`` is needed where there is no gradient.

    Args:
        in_channels (int): Channels of the features.
        channels (int): Channels of the embedding.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self, in_channels: int, channels: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.embed = nn.Conv2d(in_channels, channels, 1, bias=False)

    def forward(self, maps: Tensor, features: Tensor) -> Tensor:
        """
        Args:
            maps (Tensor): ``(N, C, h', w')``, resized to the features.
            features (Tensor): ``(N, in_channels, h, w)``.

        Returns:
            Tensor: ``(N, C, h, w)``.
        """
        size = features.shape[2:]
        maps = F.interpolate(maps, size, mode='bilinear', align_corners=True).flatten(2)
        embedded = self.embed(features).flatten(2)
        embedded = embedded / (embedded.norm(dim=1, keepdim=True) + EPS)
        # The last row gives the sum of the similarities.
        rows = torch.cat([maps.to(embedded.dtype), torch.ones_like(embedded[:, :1])], 1)
        pixels = max(MAX_SIMILARITIES // (embedded.shape[0] * embedded.shape[2]), 1)
        spread = torch.cat(
            [rows @ (embedded.transpose(1, 2) @ some).relu() for some in embedded.split(pixels, dim=2)], 2
        )
        return (spread[:, :-1] / (spread[:, -1:] + EPS)).unflatten(2, size)


@MODELS.register_module()
class SEAMHead(CAMHead):
    """Classifier of SEAM with its pixel correlation module (PCM).

    The features of the module are the image and the levels below the last, which get no gradient from it. The maps of
    the classifier are resized to the last level, as are the features.

    Args:
        num_classes (int): Number of foreground classes.
        in_channels (Sequence[int]): Channels of each level of the backbone; the classifier sees the last.
        channels (Sequence[int]): Channels that each level below the last is brought to. Defaults to (64, 128).
        dropout (float): Share of the channels of the last level that are dropped in training. Defaults to 0.5.
        init_cfg (dict, optional): Initialization config. Defaults to None: that of the released code.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: Sequence[int],
        channels: Sequence[int] = (64, 128),
        dropout: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        if len(channels) != len(in_channels) - 1:
            raise SettingError(
                f'channels must have one entry a level below the last, but got {channels} for levels of {in_channels}'
            )
        super().__init__(num_classes, in_channels[-1], init_cfg)
        self.dropout = nn.Dropout2d(dropout)
        self.levels = nn.ModuleList(nn.Conv2d(c_in, c, 1, bias=False) for c_in, c in zip(in_channels, channels))
        self.pcm = PixelCorrelationModule(3 + sum(channels), sum(channels))

    def init_weights(self) -> None:
        super().init_weights()
        if self.init_cfg is None:
            xavier_init(self.conv, distribution='uniform')
            for conv in self.levels:
                kaiming_init(conv, mode='fan_in')
            xavier_init(self.pcm.embed, gain=4, distribution='uniform')

    def forward(self, feats: Tensor | Sequence[Tensor]) -> Tensor:
        """Class maps before ReLU, ``(N, num_classes, h, w)``, of the last level; not refined."""
        return super().forward(self.dropout(feats if isinstance(feats, Tensor) else feats[-1]))

    def refine(self, maps: Tensor, feats: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Spread class maps by pixel correlation.

        Args:
            maps (Tensor): Class maps before ReLU ``(N, num_classes, h, w)``.
            feats (Sequence[Tensor]): The levels of the backbone.
            inputs (Tensor): Normalised images ``(N, 3, H, W)``.

        Returns:
            Tensor: Background and classes ``(N, 1 + num_classes, h, w)``, in [0, 1]; the gradient reaches the
            correlation alone.
        """
        size = maps.shape[2:]
        levels = [F.relu(conv(level.detach())) for conv, level in zip(self.levels, feats)]
        features = [
            one if one.shape[2:] == size else F.interpolate(one, size, mode='bilinear', align_corners=True)
            for one in (inputs, *levels)
        ]
        return self.pcm(background_and_best(maps), torch.cat(features, 1))
