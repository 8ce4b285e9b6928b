"""Heads of IRNet (Ahn et al., CVPR 2019, figure 3): class boundaries and displacements from all levels."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError

# Both maps are made at this stride, as CAM files are.
STRIDE = 4


def level_size(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Size of a level of the given stride for an image of ``size`` (H, W): rounded up, as padded convolutions do."""
    return -(-size[0] // stride), -(-size[1] // stride)


def groups(channels: int) -> int:
    """Groups of GroupNorm in the displacement head: of eight channels, and no more than 16."""
    return min(channels // 8, 16)


class Level(BaseModule):
    """Bring one feature map to the channels and stride of a head: 1x1 convolution, GroupNorm, upsampling, ReLU.

    Args:
        in_channels (int): Channels of the feature map.
        out_channels (int): Channels wanted.
        num_groups (int): Groups of GroupNorm.
        scale (int): Factor of the bilinear upsampling.
    """

    def __init__(self, in_channels: int, out_channels: int, num_groups: int, scale: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = nn.GroupNorm(num_groups, out_channels)
        self.scale = scale

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """
        Args:
            x (Tensor): Feature map of shape ``(N, in_channels, h, w)``.
            size (tuple[int, int]): Size wanted, at most ``scale`` times ``(h, w)``.

        Returns:
            Tensor: Map of shape ``(N, out_channels, *size)``.
        """
        x = self.norm(self.conv(x))
        if self.scale > 1:
            x = F.interpolate(x, scale_factor=self.scale, mode='bilinear', align_corners=False)
        # Cutting, not resizing, keeps pixels of all levels in register where the size is no multiple of the stride.
        return F.relu(x[..., : size[0], : size[1]])


class IRNetHead(BaseModule):
    """What both heads share: the levels of the backbone, checked against what the head was told of them.

    Args:
        in_channels (Sequence[int]): Channels of each level.
        strides (Sequence[int]): Stride of each level: 4, 8, 16 or 32.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(self, in_channels: Sequence[int], strides: Sequence[int], init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(strides):
            raise SettingError(f'in_channels and strides must name the same levels, got {in_channels} and {strides}')
        if any(stride not in (4, 8, 16, 32) for stride in strides):
            raise SettingError(f'the strides of the levels must be 4, 8, 16 or 32, got {tuple(strides)}')
        self.strides = tuple(strides)

    def check(self, features: Sequence[Tensor], size: tuple[int, int]) -> None:
        """Raise ValueError in one line if the levels are not those that the head was made for."""
        found = [tuple(feature.shape[-2:]) for feature in features]
        expected = [level_size(size, stride) for stride in self.strides]
        if found != expected:
            raise SettingError(
                f'levels of strides {self.strides} have sizes {expected} for an image of {tuple(size)}, '
                f'but the backbone gave {found}: correct `strides` of the head or `taps` of the model'
            )


@MODELS.register_module()
class EdgeHead(IRNetHead):
    """Class boundary detection: every level to 32 channels at stride 4, concatenated, one 1x1 convolution.

    Args:
        in_channels (Sequence[int]): Channels of each level.
        strides (Sequence[int]): Stride of each level: 4, 8, 16 or 32.
        loss_affinity (dict): Loss on the edge probabilities. Defaults to ``dict(type='PathAffinityLoss')``.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        strides: Sequence[int],
        loss_affinity: dict = dict(type='PathAffinityLoss'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, strides, init_cfg)
        self.levels = nn.ModuleList(
            Level(channels, 32, 4, stride // STRIDE) for channels, stride in zip(in_channels, strides)
        )
        self.predict = nn.Conv2d(32 * len(in_channels), 1, 1)
        self.loss_affinity = MODELS.build(loss_affinity)

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """
        Args:
            features (Sequence[Tensor]): One feature map ``(N, C_l, h_l, w_l)`` a level.
            size (tuple[int, int]): Height and width of the images.

        Returns:
            Tensor: Edge logits of shape ``(N, 1, ceil(H / 4), ceil(W / 4))``.
        """
        self.check(features, size)
        size = level_size(size, STRIDE)
        return self.predict(torch.cat([level(x, size) for level, x in zip(self.levels, features)], dim=1))

    def loss(self, features: Sequence[Tensor], size: tuple[int, int], segmap: Tensor) -> dict[str, Tensor]:
        """Affinity loss of the edges; ``segmap`` is ``(N, ceil(H / 4), ceil(W / 4))`` with 255 ignored."""
        return self.loss_affinity(self(features, size).sigmoid(), segmap)


@MODELS.register_module()
class DisplacementHead(IRNetHead):
    """Displacement field: coarse levels merged at their finest stride, then joined with the levels of stride 4.

    Args:
        in_channels (Sequence[int]): Channels of each level.
        strides (Sequence[int]): Stride of each level: 4, 8, 16 or 32; at least one coarser than 4.
        channels (Sequence[int]): Channels each level is brought to, multiples of 8. Defaults to
            (64, 128, 256, 256, 256), those of IRNet for the five levels of a ResNet.
        merged_channels (int): Channels after merging, and after joining; a multiple of 8. Defaults to 256.
        loss_displacement (dict): Loss on the field. Defaults to ``dict(type='DisplacementLoss')``.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        strides: Sequence[int],
        channels: Sequence[int] = (64, 128, 256, 256, 256),
        merged_channels: int = 256,
        loss_displacement: dict = dict(type='DisplacementLoss'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, strides, init_cfg)
        if len(channels) != len(in_channels):
            raise SettingError(f'channels must have one entry a level, got {channels} for {len(in_channels)} levels')
        if max(strides) == STRIDE:
            raise SettingError('the displacement head needs a level of a stride above 4')
        self.coarse_stride = min(stride for stride in strides if stride > STRIDE)
        coarse_channels = sum(c for c, stride in zip(channels, strides) if stride > STRIDE)
        fine_channels = sum(c for c, stride in zip(channels, strides) if stride == STRIDE)
        self.levels = nn.ModuleList(
            Level(c_in, c, groups(c), max(stride // self.coarse_stride, 1))
            for c_in, c, stride in zip(in_channels, channels, strides)
        )
        num_groups = groups(merged_channels)
        self.merge = Level(coarse_channels, merged_channels, num_groups, self.coarse_stride // STRIDE)
        self.join = Level(fine_channels + merged_channels, merged_channels, num_groups, 1)
        self.predict = nn.Conv2d(merged_channels, 2, 1, bias=False)
        self.loss_displacement = MODELS.build(loss_displacement)

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """
        Args:
            features (Sequence[Tensor]): One feature map ``(N, C_l, h_l, w_l)`` a level.
            size (tuple[int, int]): Height and width of the images.

        Returns:
            Tensor: Rows and columns to the centre, ``(N, 2, ceil(H / 4), ceil(W / 4))``, in pixels of that map.
        """
        self.check(features, size)
        fine_size, coarse_size = level_size(size, STRIDE), level_size(size, self.coarse_stride)
        fine, coarse = [], []
        for level, x, stride in zip(self.levels, features, self.strides):
            if stride == STRIDE:
                fine.append(level(x, fine_size))
            else:
                coarse.append(level(x, coarse_size))
        fine.append(self.merge(torch.cat(coarse, dim=1), fine_size))
        return self.predict(self.join(torch.cat(fine, dim=1), fine_size))

    def loss(self, features: Sequence[Tensor], size: tuple[int, int], segmap: Tensor) -> dict[str, Tensor]:
        """Displacement loss; ``segmap`` is ``(N, ceil(H / 4), ceil(W / 4))`` with 255 ignored."""
        return self.loss_displacement(self(features, size), segmap)
