"""How AMM enters a backbone from outside, whatever the backbone."""

import re
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mmamr.registry import MODELS
from mmamr.utils import SettingError

PROBE_SIZE = 64


def matching_modules(backbone: nn.Module, layers: str | Sequence[str]) -> dict[str, nn.Module]:
    """The submodules whose full names match one of the regular expressions.

    Args:
        backbone (nn.Module): The network.
        layers (str | Sequence[str]): Regular expressions for whole names, e.g. ``r'layer[34]\\.\\d+\\.bn3'``.

    Returns:
        dict[str, nn.Module]: In the order of the network.

    Raises:
        ValueError: If an expression matches no submodule.
    """
    patterns = [layers] if isinstance(layers, str) else list(layers)
    names = [name for name, _ in backbone.named_modules() if name]
    for pattern in patterns:
        if not any(re.fullmatch(pattern, name) for name in names):
            raise SettingError(
                f'no submodule of {type(backbone).__name__} is named {pattern!r}; its names are like '
                f'{", ".join(names[-3:])}'
            )
    return {
        name: module
        for name, module in backbone.named_modules()
        if name and any(re.fullmatch(pattern, name) for pattern in patterns)
    }


def output_shapes(backbone: nn.Module, modules: dict[str, nn.Module]) -> dict[str, tuple[int, ...]]:
    """Shapes of what the submodules return for an image of 64x64, found by a forward pass that leaves no trace."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Callable:

        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            shapes[name] = tuple(output.shape)

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in modules.items()]
    modes = {module: module.training for module in backbone.modules()}
    parameter = next(backbone.parameters())
    try:
        for module in backbone.modules():
            module.training = False
        with torch.no_grad():
            backbone(parameter.new_zeros(1, 3, PROBE_SIZE, PROBE_SIZE))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return shapes


class AMMHook(nn.Module):
    """One AMM that acts on the output of a submodule through a forward hook.

    The hook is a bound method, so that a deep copy of the whole network hooks the copy, not the original.
    """

    def __init__(self, amm: nn.Module) -> None:
        super().__init__()
        self.amm = amm

    def forward(self, x: Tensor) -> Tensor:
        return self.amm(x)

    def hook(self, _module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        return self.amm(output)


def attach_amm(backbone: nn.Module, layers: str | Sequence[str], amm: dict) -> nn.ModuleDict:
    """Let one AMM act behind each named submodule of a backbone: a stage, or the last norm of a residual branch.

    The modulation reaches the backbone through forward hooks: its own modules, names and weights stay as they are, so
    that pretrained weights load under their own names. Typical ``layers``:

    - Figure 2 of the paper: ``'layer[1-3]'``, the first three stages of a ResNet
    - ResNet: ``r'layer[1-4]\\.\\d+\\.bn3'`` (``bn2`` for BasicBlock)
    - MobileNetV2: ``r'layer[5-7]\\.\\d+\\.conv\\.2'``
    - ConvNeXt: ``r'stages\\.\\d+\\.\\d+\\.drop_path'``

    Args:
        backbone (nn.Module): The network; it is changed in place.
        layers (str | Sequence[str]): Regular expressions for the full names of submodules.
        amm (dict): Config of the AMM; ``in_channels`` is filled in for each.

    Returns:
        nn.ModuleDict: The AMMs by submodule name, with ``-`` for ``.``. The caller registers it beside the backbone.

    Raises:
        ValueError: If an expression matches nothing, or a submodule does not return maps ``(N, C, H, W)``.
    """
    modules = matching_modules(backbone, layers)
    shapes = output_shapes(backbone, modules)
    amms = nn.ModuleDict()
    for name, module in modules.items():
        if name not in shapes or len(shapes[name]) != 4:
            raise SettingError(
                f'AMM needs maps (N, C, H, W) behind {name!r}, which returns '
                f'{shapes.get(name, "nothing in a forward pass")}'
            )
        hook = AMMHook(MODELS.build({'in_channels': shapes[name][1], **amm}))
        module.register_forward_hook(hook.hook)
        amms[name.replace('.', '-')] = hook
    return amms


def detach_after(backbone: nn.Module, layers: str | Sequence[str]) -> list[RemovableHandle]:
    """Stop the gradient behind named submodules in training, as the released code does behind the stem and ``layer1``.

    While the backbone is in evaluation mode the gradient passes: adversarial climbing needs it at the image.

    Args:
        backbone (nn.Module): The network; it is changed in place.
        layers (str | Sequence[str]): Regular expressions for the full names of submodules.

    Returns:
        list[RemovableHandle]: The handles of the hooks.
    """
    # partial and not a closure, so that a deep copy of the whole network asks the copy for its mode
    hook = partial(_detach_output, backbone)
    return [module.register_forward_hook(hook) for module in matching_modules(backbone, layers).values()]


def _detach_output(backbone: nn.Module, _module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
    return output.detach() if backbone.training else output
