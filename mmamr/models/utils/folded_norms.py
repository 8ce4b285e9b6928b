"""Inference without BatchNorm."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

# what rounding may change of the largest value that the network returns
TOLERANCE = 1e-3
PROBE_SIZE = 64


@contextmanager
def folded_norms(model: nn.Module, probe: Tensor) -> Iterator[int]:
    """Fold each BatchNorm in evaluation mode into the convolution before it, which saves a pass over its maps.

    Afterwards, or after an exception, the model is as it was. Hooks behind a norm, such as AMM's, see what they saw. A
    network is left alone if it then returned something else, as one does that reads a convolution in two places.

    Args:
        model (nn.Module): In evaluation mode; returns a tensor, or a sequence or a dictionary of tensors.
        probe (Tensor): An input that it is tried on, e.g. of 64x64 pixels.

    Yields:
        int: Number of norms that are folded.
    """
    with torch.no_grad():
        pairs = conv_norm_pairs(model, probe)
        before = model(probe)
    with ExitStack() as stack:
        for conv, norm in pairs:
            stack.enter_context(_folded(conv, norm))
        with torch.no_grad():
            same = _alike(before, model(probe))
        if not same:
            stack.close()
            pairs = []
        yield len(pairs)


def folded_copy(model: nn.Module, probe: Tensor) -> nn.Module:
    """A copy of a network that is not trained, as fast as it can be: norms folded, weights in ``channels_last``.

    Args:
        model (nn.Module): Returns a tensor, or a sequence or a dictionary of tensors.
        probe (Tensor): An input that it is tried on, e.g. of 64x64 pixels.

    Returns:
        nn.Module: In evaluation mode, without gradients; what it computes differs by rounding alone.
    """
    copied = copy.deepcopy(model).requires_grad_(False).to(memory_format=torch.channels_last)
    copied.eval()  # some backbones return nothing here
    folding = folded_norms(copied, probe)
    folding.__enter__()
    # never left: it lives as long as the copy, which stays folded
    vars(copied)['folding'] = folding
    return copied


class FoldedCopies:
    """The :func:`folded_copy` of a network, made anew where its weights, or where they are, have changed.

    A copy of this makes a copy of the network of its own.
    """

    def __init__(self) -> None:
        self.kept: tuple[list, nn.Module] | None = None

    def __reduce__(self) -> tuple:
        return FoldedCopies, ()

    def __call__(self, model: nn.Module, inputs: Tensor) -> nn.Module:
        """The copy.

        Args:
            model (nn.Module): The network.
            inputs (Tensor): Whose device and dtype it shall be tried on.
        """
        state = [*model.parameters(), *model.buffers()]
        # tensors of inference mode count no versions: they are not changed in place outside of it
        versions = [None if one.is_inference() else one._version for one in state]
        key = [(one.data_ptr(), version, one.dtype, one.device) for one, version in zip(state, versions)]
        if self.kept is None or self.kept[0] != key:
            with torch.autocast(inputs.device.type, enabled=False):
                probe = torch.linspace(-2, 2, 3 * PROBE_SIZE**2, device=inputs.device, dtype=inputs.dtype)
                self.kept = key, folded_copy(model, probe.view(1, 3, PROBE_SIZE, PROBE_SIZE))
        return self.kept[1]


def conv_norm_pairs(model: nn.Module, probe: Tensor) -> list[tuple[nn.Conv2d, _BatchNorm]]:
    """The convolutions whose output is what a BatchNorm in evaluation mode reads, found by a forward pass."""
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}
    pairs: list[tuple[nn.Conv2d, _BatchNorm]] = []
    # of modules that are used more than once, each use must be the same pair
    uses: dict[nn.Module, int] = {}

    def after_conv(conv: nn.Conv2d, _inputs: tuple[Tensor], output: Tensor) -> None:
        # the tensor is kept, so that its id is not given to another
        made[id(output)] = (conv, output)
        uses[conv] = uses.get(conv, 0) + 1

    def before_norm(norm: _BatchNorm, inputs: tuple[Tensor]) -> None:
        uses[norm] = uses.get(norm, 0) + 1
        conv, _ = made.get(id(inputs[0]), (None, None))
        if conv is not None and not norm.training and norm.track_running_stats:
            pairs.append((conv, norm))

    handles = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and not module._forward_hooks:
            handles.append(module.register_forward_hook(after_conv))
        elif isinstance(module, _BatchNorm) and not module._forward_pre_hooks:
            handles.append(module.register_forward_pre_hook(before_norm))
    try:
        model(probe)
    finally:
        for handle in handles:
            handle.remove()
    counts = {pair: pairs.count(pair) for pair in pairs}
    return [pair for pair, count in counts.items() if uses[pair[0]] == uses[pair[1]] == count]


@contextmanager
def _folded(conv: nn.Conv2d, norm: _BatchNorm) -> Iterator[None]:
    weight, bias = conv.weight, conv.bias
    # conv_norm_pairs only names norms that track statistics
    assert norm.running_mean is not None and norm.running_var is not None
    factor = torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean if bias is None else bias - norm.running_mean
    if norm.affine:
        factor = factor * norm.weight
    shift = shift * factor
    if norm.affine:
        shift = shift + norm.bias
    conv.weight = nn.Parameter((weight * factor.view(-1, 1, 1, 1)).detach(), requires_grad=False)
    conv.bias = nn.Parameter(shift.detach(), requires_grad=False)
    # on the instance, so that deleting it brings the method of the class back
    vars(norm)['forward'] = _identity
    try:
        yield
    finally:
        conv.weight, conv.bias = weight, bias
        del norm.forward


def _identity(inputs: Tensor) -> Tensor:
    return inputs


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_alike(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return all(map(_alike, one, other))
    return bool((one - other).abs().max() <= TOLERANCE * one.abs().max())
