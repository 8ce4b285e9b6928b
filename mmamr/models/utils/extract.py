"""Feature maps of a backbone, from its end or on the way."""

from collections.abc import Sequence

from torch import Tensor, nn


class _Enough(Exception):
    """All layers have given their maps."""


def extract(backbone: nn.Module, inputs: Tensor, taps: Sequence[str] | None = None) -> list[Tensor]:
    """Feature maps of a backbone: those it returns, or those that named submodules of it return on the way.

    Args:
        backbone (nn.Module): A backbone that returns a tensor or a sequence of tensors.
        inputs (Tensor): Normalised images ``(N, 3, H, W)``.
        taps (Sequence[str], optional): Names of submodules, e.g. ``('maxpool', 'layer1')``. Defaults to None.

    Returns:
        list[Tensor]: One feature map ``(N, C, h, w)`` a level.
    """
    if taps is None:
        returned = backbone(inputs)
        return [returned] if isinstance(returned, Tensor) else list(returned)
    features: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        features[name] = output
        if len(features) == len(set(taps)):
            raise _Enough

    handles = [
        backbone.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: keep(name, output)
        )
        for name in taps
    ]
    try:
        backbone(inputs)
    except _Enough:
        pass  # what comes behind the last of them is not needed
    finally:
        for handle in handles:
            handle.remove()
    return [features[name] for name in taps]
