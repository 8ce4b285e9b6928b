"""WideResNet-38 (Wu et al., "Wider or Deeper", 2016): the backbone of AffinityNet's and SEAM's classifiers."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.registry import MODELS


class PreActBlock(BaseModule):
    """Residual block whose norms come first.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        stride (int): Stride of the block. Defaults to 1.
        norm_cfg (dict): Config of the norms. Defaults to ``dict(type='BN')``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, norm_cfg: dict = dict(type='BN')) -> None:
        super().__init__()
        self.bn_branch2a = build_norm_layer(norm_cfg, in_channels)[1]
        self.conv_branch1: nn.Conv2d | None = None
        if stride != 1 or in_channels != out_channels:
            self.conv_branch1 = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def activate(self, x: Tensor) -> Tensor:
        """Norm and ReLU in front of the block: the feature map that the block before it is known by."""
        return F.relu(self.bn_branch2a(x))

    def residual(self, activated: Tensor) -> Tensor:
        """The residual branch, behind :meth:`activate`."""
        raise NotImplementedError

    def forward(self, x: Tensor, activated: Tensor | None = None) -> Tensor:
        """
        Args:
            x (Tensor): ``(N, in_channels, H, W)``.
            activated (Tensor, optional): :meth:`activate` of ``x``, where it is there already. Defaults to None.

        Returns:
            Tensor: ``(N, out_channels, ceil(H / stride), ceil(W / stride))``.
        """
        activated = self.activate(x) if activated is None else activated
        shortcut = x if self.conv_branch1 is None else self.conv_branch1(activated)
        return shortcut + self.residual(activated)


class PlainBlock(PreActBlock):
    """Two 3x3 convolutions: the blocks of b2 to b5.

    Args:
        in_channels (int): Channels of the input.
        mid_channels (int): Channels between the convolutions.
        out_channels (int): Channels of the output.
        stride (int): Of the first convolution. Defaults to 1.
        dilations (tuple[int, int]): Of both convolutions. Defaults to (1, 1).
        norm_cfg (dict): Config of the norms. Defaults to ``dict(type='BN')``.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        stride: int = 1,
        dilations: tuple[int, int] = (1, 1),
        norm_cfg: dict = dict(type='BN'),
    ) -> None:
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        first, second = dilations
        self.conv_branch2a = nn.Conv2d(in_channels, mid_channels, 3, stride, first, first, bias=False)
        self.bn_branch2b1 = build_norm_layer(norm_cfg, mid_channels)[1]
        self.conv_branch2b1 = nn.Conv2d(mid_channels, out_channels, 3, 1, second, second, bias=False)

    def residual(self, activated: Tensor) -> Tensor:
        return self.conv_branch2b1(F.relu(self.bn_branch2b1(self.conv_branch2a(activated))))


class BottleneckBlock(PreActBlock):
    """1x1, 3x3 and 1x1 convolution with dropout of channels before the last two: the blocks b6 and b7.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output; a quarter and a half of them lie between.
        stride (int): Of the first convolution. Defaults to 1.
        dilation (int): Of the 3x3 convolution. Defaults to 1.
        dropout (float): Share of the channels that are dropped. Defaults to 0.
        norm_cfg (dict): Config of the norms. Defaults to ``dict(type='BN')``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        dilation: int = 1,
        dropout: float = 0.0,
        norm_cfg: dict = dict(type='BN'),
    ) -> None:
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        quarter, half = out_channels // 4, out_channels // 2
        self.conv_branch2a = nn.Conv2d(in_channels, quarter, 1, stride, bias=False)
        self.bn_branch2b1 = build_norm_layer(norm_cfg, quarter)[1]
        self.dropout_2b1 = nn.Dropout2d(dropout)
        self.conv_branch2b1 = nn.Conv2d(quarter, half, 3, 1, dilation, dilation, bias=False)
        self.bn_branch2b2 = build_norm_layer(norm_cfg, half)[1]
        self.dropout_2b2 = nn.Dropout2d(dropout)
        self.conv_branch2b2 = nn.Conv2d(half, out_channels, 1, bias=False)

    def residual(self, activated: Tensor) -> Tensor:
        x = self.dropout_2b1(F.relu(self.bn_branch2b1(self.conv_branch2a(activated))))
        x = self.dropout_2b2(F.relu(self.bn_branch2b2(self.conv_branch2b1(x))))
        return self.conv_branch2b2(x)


@MODELS.register_module()
class WideResNet38(BaseModule):
    """WideResNet-38 with dilation, as AffinityNet and SEAM use it.

    Its parameters have the names of their releases (``conv1a``, ``b2.conv_branch2a``, ... ``bn7``), so weights of
    ImageNet load as they are::

        init_cfg=dict(type='StrictPretrained', checkpoint='res38_imagenet.pth')

    The stages are b2 to b7. The feature map of a stage is what the next one sees, behind its first norm and ReLU; that
    of b7 is behind ``bn7``. AMM acts behind the last convolution of a residual branch:
    ``layers=[r'b5(_\\d)?\\.conv_branch2b1', r'b[67]\\.conv_branch2b2']``.

    Args:
        base_channels (int): Channels of the first convolution; a multiple of 8. Defaults to 64.
        strides (Sequence[int]): Of the stages. Defaults to (2, 2, 2, 1, 1, 1), output stride 8.
        dilations (Sequence[int]): Of the stages. The first convolution of b2 to b5 has that of the stage before.
            Defaults to (1, 1, 1, 2, 4, 4).
        dropouts (Sequence[float]): Of b6 and b7, applied to whole channels. Defaults to (0.3, 0.5).
        out_indices (Sequence[int]): Stages whose feature maps are returned, 0 (b2) to 5 (b7). AffinityNet has
            (2, 3, 5). Defaults to (5, ).
        frozen_stages (int): 0 fixes the first convolution, 1 also b2 as in the releases, up to 6; -1 fixes nothing.
            Defaults to -1.
        norm_cfg (dict): Config of the norms; with ``requires_grad=False`` their weights stay as they are, as in the
            releases. Defaults to ``dict(type='BN')``.
        norm_eval (bool): Keep the statistics of the norms, as the releases do. Defaults to False.
        init_cfg (dict | list[dict], optional): Initialization config. Defaults to None: Kaiming's for convolutions.
    """

    # name, number of blocks, channels between the convolutions and after them in units of base_channels
    STAGES = (('b2', 3, 2, 2), ('b3', 3, 4, 4), ('b4', 6, 8, 8), ('b5', 3, 8, 16), ('b6', 1, 8, 32), ('b7', 1, 16, 64))

    def __init__(
        self,
        base_channels: int = 64,
        strides: Sequence[int] = (2, 2, 2, 1, 1, 1),
        dilations: Sequence[int] = (1, 1, 1, 2, 4, 4),
        dropouts: Sequence[float] = (0.3, 0.5),
        out_indices: Sequence[int] = (5,),
        frozen_stages: int = -1,
        norm_cfg: dict = dict(type='BN'),
        norm_eval: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg
            or [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm'])]
        )
        num = len(self.STAGES)
        if len(strides) != num or len(dilations) != num or len(dropouts) != 2:
            raise ValueError(
                f'there are {num} strides, {num} dilations and 2 dropouts, but got {strides}, {dilations}'
                f' and {dropouts}'
            )
        if not out_indices or not set(out_indices) <= set(range(num)):
            raise ValueError(f'out_indices must be of 0 to {num - 1}, but got {out_indices}')
        if frozen_stages not in range(-1, num + 1):
            raise ValueError(f'frozen_stages must be -1 to {num}, but got {frozen_stages}')
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.conv1a = nn.Conv2d(3, base_channels, 3, 1, 1, bias=False)
        self.stages: list[list[str]] = []
        channels, last_dilation = base_channels, 1
        for index, (name, depth, mid, out) in enumerate(self.STAGES):
            mid, out, stride, dilation = mid * base_channels, out * base_channels, strides[index], dilations[index]
            names = [name, *(f'{name}_{i}' for i in range(1, depth))]
            if name in ('b6', 'b7'):
                block = BottleneckBlock(channels, out, stride, dilation, dropouts[index - 4], norm_cfg)
            else:
                block = PlainBlock(channels, mid, out, stride, (last_dilation, dilation), norm_cfg)
            self.add_module(name, block)
            for other in names[1:]:
                self.add_module(other, PlainBlock(out, mid, out, 1, (dilation, dilation), norm_cfg))
            self.stages.append(names)
            channels, last_dilation = out, dilation
        self.bn7 = build_norm_layer(norm_cfg, channels)[1]
        self.freeze()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """
        Args:
            x (Tensor): Normalised images ``(N, 3, H, W)``.

        Returns:
            tuple[Tensor]: The feature map of each stage of ``out_indices``, in the order of the network. With
            ``base_channels`` 64 those of b4, b5 and b7 have 512, 1024 and 4096 channels at stride 8.
        """
        outs = []
        x = self.conv1a(x)
        for index, names in enumerate(self.stages):
            for name in names:
                block = getattr(self, name)
                activated = block.activate(x)
                if name == names[0] and index - 1 in self.out_indices:
                    outs.append(activated)
                x = block(x, activated)
        if len(self.stages) - 1 in self.out_indices:
            outs.append(F.relu(self.bn7(x)))
        return tuple(outs)

    def freeze(self) -> None:
        """Fix the weights and statistics of what ``frozen_stages`` names."""
        frozen = [self.conv1a] if self.frozen_stages >= 0 else []
        frozen += [getattr(self, name) for names in self.stages[: max(self.frozen_stages, 0)] for name in names]
        if self.frozen_stages == len(self.stages):
            frozen.append(self.bn7)
        for module in frozen:
            module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> 'WideResNet38':
        """Switch the mode; what is frozen stays in evaluation mode, and all norms where ``norm_eval`` says so."""
        super().train(mode)
        self.freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
