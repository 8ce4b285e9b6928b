"""The training mode of a model, given back as it was."""
from contextlib import contextmanager
from typing import Iterator

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
