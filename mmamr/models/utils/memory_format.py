"""The memory format in which a network trains."""

import torch
from torch import nn

SAFE_CHANNELS = 16


def training_format(module: nn.Module) -> torch.memory_format:
    """``torch.channels_last``, in which convolutions are faster, by half on a CPU; where it is not safe, the usual one.

    In ``channels_last`` the gradient of the weights of a strided 1x1 convolution of fewer than 16 channels reads beyond
    its input in oneDNN (torch 2.15 on processors with AVX-512), and the process crashes. Only toy networks have such a
    layer: the narrowest that people use, a ResNet of width 16, has not.

    Args:
        module (nn.Module): The network.

    Returns:
        torch.memory_format: Of its inputs in training.
    """
    for layer in module.modules():
        if (
            isinstance(layer, nn.Conv2d)
            and tuple(layer.kernel_size) == (1, 1)
            and max(layer.stride) > 1
            and layer.in_channels // layer.groups < SAFE_CHANNELS
        ):
            return torch.contiguous_format
    return torch.channels_last
