"""Layers that two backbones have in common."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmamr.utils import SettingError

from ..modulation.attach import matching_modules


class SharedLayer(nn.Module):
    """Stands in one network for a layer that belongs to another; both apply it to the same images, so once is enough.

    It has no parameters: those are the owner's, in the state dict and for the optimizer. A state dict that has them
    under this name too (it was saved before the layer was shared) loads if they are the same.

    Args:
        owner (nn.Module): The network that the layer belongs to.
        name (str): Its full name there.
    """

    def __init__(self, owner: nn.Module, name: str) -> None:
        super().__init__()
        # in a tuple, where nn.Module does not see a submodule; by name, as a norm may be converted to another kind
        self._owned_elsewhere = (owner, name)
        self._outputs: list[tuple[bool, tuple, Tensor]] = []
        self._remembers = False
        self.layer.register_forward_hook(self._remember)

    @property
    def layer(self) -> nn.Module:
        """The layer."""
        owner, name = self._owned_elsewhere
        return owner.get_submodule(name)

    @contextmanager
    def once(self) -> Iterator[None]:
        """Within, the layer is not computed again for a tensor that it has seen (the same object, not an equal one)."""
        self._remembers = True
        try:
            yield
        finally:
            self._remembers = False
            self._outputs.clear()

    def _has_gradient(self, inputs: tuple) -> bool:
        tensors = (*inputs, *self.layer.parameters())
        return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)

    def _remember(self, _layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        if self._remembers:
            self._outputs.append((self._has_gradient(inputs), inputs, output))

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the layer returns."""
        for gradient, known, output in self._outputs:
            if gradient == self._has_gradient(inputs) and all(one is other for one, other in zip(inputs, known)):
                return output
        return self.layer(*inputs)

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Tensor],
        prefix: str,
        _metadata: dict,
        _strict: bool,
        _missing: list[str],
        _unexpected: list[str],
        error_msgs: list[str],
    ) -> None:
        for name, own in self.layer.state_dict().items():
            other = state_dict.get(prefix + name)
            if other is not None and not torch.equal(other.to(own), own):
                error_msgs.append(
                    f'{prefix + name} is not what the other branch has, but shared_layers has them share '
                    'it; set shared_layers=None'
                )


def share_layers(owner: nn.Module, user: nn.Module, layers: str | Sequence[str]) -> list[SharedLayer]:
    """Let one backbone use layers of another in the place of its own.

    Args:
        owner (nn.Module): The backbone whose layers they are.
        user (nn.Module): A backbone of the same architecture; it is changed in place.
        layers (str | Sequence[str]): Regular expressions for the full names of submodules, as in :func:`attach_amm`.

    Returns:
        list[SharedLayer]: What stands for them in ``user``.

    Raises:
        ValueError: If an expression matches nothing, the two have not the same weights by name and shape, or something
            acts on the output of a layer that is to be replaced.
    """
    shared: list[SharedLayer] = []
    names: list[str] = []
    for name, module in matching_modules(user, layers).items():
        if any(name.startswith(f'{outer}.') for outer in names):
            continue
        theirs = dict(owner.named_modules()).get(name)
        if theirs is None or _shapes(theirs) != _shapes(module):
            raise SettingError(f'shared_layers: {name!r} is not the same layer in the two backbones')
        hooked = [inner for inner, submodule in module.named_modules() if submodule._forward_hooks]
        if hooked:
            raise SettingError(
                f'shared_layers: {name!r} cannot be shared, since the modulation or detach_after acts on '
                f'{".".join(filter(None, (name, hooked[0])))!r}'
            )
        parent, _, child = name.rpartition('.')
        placeholder = SharedLayer(owner, name)
        setattr(user.get_submodule(parent), child, placeholder)
        shared.append(placeholder)
        names.append(name)
    return shared


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}
