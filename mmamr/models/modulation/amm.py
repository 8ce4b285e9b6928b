"""The attention modulation module (AMM), eq. 3-6 of the paper."""

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError, check_choice, check_number


def apply_gate(x: Tensor, gate: Tensor) -> Tensor:
    """Multiply features by a gate that may be too large for the features' type.

    Args:
        x (Tensor): Features ``(N, C, H, W)``.
        gate (Tensor): Gate that broadcasts to ``x``, in float32 or float64.

    Returns:
        Tensor: ``(N, C, H, W)`` in the type of ``x``.
    """
    return x * gate.clamp(max=torch.finfo(x.dtype).max).to(x.dtype)


def mean_in_float32(x: Tensor, dims: int | tuple[int, ...]) -> Tensor:
    """Average without the overflow of half precision sums."""
    return x.mean(dims, keepdim=True, dtype=torch.float64 if x.dtype == torch.float64 else torch.float32)


@MODELS.register_module()
class ChannelModulation(BaseModule):
    """Channel half of AMM (eq. 3-4): ``F_c = G(H(P_s(F))) ⊙ F``, P_s the spatial average pooling.

    Args:
        in_channels (int): Channels of the features.
        layer (str): H: ``'conv'`` is one 1x1 convolution, as in the paper; ``'mlp'`` is C → C / reduction → C with a
            ReLU between, as in the released code. Defaults to ``'conv'``.
        reduction (int): Of the MLP. Defaults to 16.
        function (dict): Config of the modulation function G. Defaults to ``dict(type='GaussianModulation')``.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    LAYERS = ('conv', 'mlp')

    def __init__(
        self,
        in_channels: int,
        layer: str = 'conv',
        reduction: int = 16,
        function: dict = dict(type='GaussianModulation'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if layer == 'conv':
            self.layer: nn.Module = nn.Conv2d(in_channels, in_channels, 1)
        elif layer == 'mlp':
            hidden = max(in_channels // reduction, 1)
            self.layer = nn.Sequential(
                nn.Conv2d(in_channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, in_channels, 1)
            )
        else:
            raise SettingError(f'layer must be one of {self.LAYERS}, but got {layer!r}')
        self.function = MODELS.build(function)

    def attention(self, x: Tensor) -> Tensor:
        """The values that G modulates: ``(N, C, 1, 1)`` for features ``(N, C, H, W)``."""
        weight = next(self.layer.parameters())
        return self.layer(mean_in_float32(x, (2, 3)).to(weight.dtype))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, H, W)``."""
        return apply_gate(x, self.function(self.attention(x)))


@MODELS.register_module()
class SpatialModulation(BaseModule):
    """Spatial half of AMM (eq. 5-6): ``F_s = G(H(P_c(F_c))) ⊙ F_c``, P_c a pooling over channels, H a convolution.

    Args:
        pooling (str): ``'avg'`` as in the paper, or ``'max-avg'``, both maps side by side as in the released code.
            Defaults to ``'avg'``.
        kernel_size (int): Odd size of the convolution, which has no bias. Defaults to 7.
        norm_cfg (dict, optional): Norm after the convolution; the released code has BatchNorm with momentum 0.01.
            Defaults to None.
        batch_stats_in_eval (bool): Whether the norm uses the statistics of the batch in evaluation mode too, as the
            released code does, whose ``eval()`` never reaches the AMMs (row T9). Defaults to False.
        function (dict): Config of the modulation function G. Defaults to ``dict(type='GaussianModulation')``.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    POOLINGS = ('avg', 'max-avg')

    def __init__(
        self,
        pooling: str = 'avg',
        kernel_size: int = 7,
        norm_cfg: dict | None = None,
        batch_stats_in_eval: bool = False,
        function: dict = dict(type='GaussianModulation'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('pooling', pooling, self.POOLINGS)
        check_number('kernel_size', kernel_size, 1, whole=True)
        if kernel_size % 2 == 0:
            raise SettingError(f'kernel_size must be odd, but got {kernel_size}')
        self.pooling = pooling
        in_channels = 1 if pooling == 'avg' else 2
        self.conv = nn.Conv2d(in_channels, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = build_norm_layer(norm_cfg, 1)[1] if norm_cfg is not None else None
        if batch_stats_in_eval and norm_cfg is None:
            raise SettingError('batch_stats_in_eval needs a norm, but norm_cfg is None')
        self.batch_stats_in_eval = self.mixes_samples = batch_stats_in_eval
        self.function = MODELS.build(function)

    def attention(self, x: Tensor) -> Tensor:
        """The values that G modulates: ``(N, 1, H, W)`` for features ``(N, C, H, W)``."""
        pooled = mean_in_float32(x, 1)
        if self.pooling == 'max-avg':
            pooled = torch.cat([x.amax(1, keepdim=True).to(pooled.dtype), pooled], 1)
        values = self.conv(pooled.to(self.conv.weight.dtype))
        if self.norm is None:
            return values
        if self.batch_stats_in_eval and not self.training:
            return F.batch_norm(values, None, None, self.norm.weight, self.norm.bias, training=True, eps=self.norm.eps)
        return self.norm(values)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, H, W)``."""
        return apply_gate(x, self.function(self.attention(x)))


@MODELS.register_module()
class AMM(BaseModule):
    """Attention modulation module: channel modulation, then spatial modulation (eq. 3-6).

    The defaults are the paper's; rows A1-A8 of ``docs/advanced_guides/paper-and-released-code.md`` list what the
    released code does instead, each an option here.

    Args:
        in_channels (int): Channels of the features.
        channel (dict, optional): Arguments of :class:`ChannelModulation`; None leaves it out. Defaults to ``dict()``.
        spatial (dict, optional): Arguments of :class:`SpatialModulation`; None leaves it out. Defaults to ``dict()``.
        function (dict): The modulation function of both halves, unless ``channel`` or ``spatial`` name their own.
            Defaults to ``dict(type='GaussianModulation')``.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(
        self,
        in_channels: int,
        channel: dict | None = dict(),
        spatial: dict | None = dict(),
        function: dict = dict(type='GaussianModulation'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if channel is None and spatial is None:
            raise SettingError('AMM needs channel modulation, spatial modulation or both, but both are None')
        self.channel = None if channel is None else ChannelModulation(in_channels, **{'function': function, **channel})
        self.spatial = None if spatial is None else SpatialModulation(**{'function': function, **spatial})

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, H, W)``."""
        if self.channel is not None:
            x = self.channel(x)
        if self.spatial is not None:
            x = self.spatial(x)
        return x
