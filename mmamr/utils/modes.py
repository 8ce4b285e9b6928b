"""The training mode of a model and what in it takes gradients, given back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put a model into evaluation mode; afterwards, or after an exception, each submodule has its own mode again.

    Args:
        model (nn.Module): The model.

    Yields:
        nn.Module: The model.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """Let no parameter of a model take a gradient; afterwards, or after an exception, each does again what it did.

    Args:
        model (nn.Module): The model.

    Yields:
        nn.Module: The model.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.requires_grad_(False)
    try:
        yield model
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
