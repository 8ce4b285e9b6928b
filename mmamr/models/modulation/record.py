"""What an AMM sees and what it makes of it, recorded while a network runs (Fig. 3)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmamr.utils import InputError, evaluating

from ..utils.building import preprocess
from .amm import AMM

Record = dict[str, tuple[list[Tensor], list[Tensor]]]


def find_amms(model: nn.Module) -> dict[str, AMM]:
    """All AMMs of a model by their full names, in the order of the network."""
    return {name: module for name, module in model.named_modules() if isinstance(module, AMM)}


def choose_amm(model: nn.Module, name: str | None = None) -> tuple[str, AMM]:
    """One AMM of a model.

    Args:
        model (nn.Module): The model.
        name (str, optional): Its full name. Defaults to None: the last one.

    Returns:
        tuple[str, AMM]: Its name and itself.

    Raises:
        InputError: If there is none, or none of this name; the message names those there are.
    """
    amms = find_amms(model)
    if not amms:
        raise InputError(f'{type(model).__name__} has no AMM: choose a config with modulation or AMMNeck')
    if name is None:
        return list(amms.items())[-1]
    if name not in amms:
        raise InputError(f'no AMM is named {name!r}; the model has {", ".join(amms)}')
    return name, amms[name]


@torch.inference_mode()
def activations_of(
    model: BaseModel, images: Sequence[np.ndarray], module: str | None = None
) -> tuple[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Values before and after an AMM, and before and after the modulation functions of its halves.

    Args:
        model (BaseModel): A classifier. Its mode is restored and no hook stays.
        images (Sequence[np.ndarray]): RGB uint8 ``(H, W, 3)`` of any size.
        module (str, optional): Full name of the AMM. Defaults to None: the last of the network.

    Returns:
        tuple[str, dict]: Name of the AMM; and name to flat arrays before and after, of ``'features'`` and, as far as
        the AMM has them, ``'channel attention'`` and ``'spatial attention'``. Long ones are thinned evenly.

    Raises:
        InputError: If the model has no such AMM.
    """
    name, amm = choose_amm(model, module)
    with evaluating(model), recording(amm) as record:
        for image in images:
            model.class_maps(preprocess(model, image))
    return name, {
        what: (torch.cat(before).numpy(), torch.cat(after).numpy()) for what, (before, after) in record.items()
    }


@contextmanager
def recording(amm: AMM, max_values: int = 100_000) -> Iterator[Record]:
    """Record what goes into and comes out of an AMM, and the modulation functions of its halves.

    Args:
        amm (AMM): The module. It runs as ever; the hooks are gone afterwards, after an exception too.
        max_values (int): Values that are kept of each pass and tensor, equally spaced ones of more. Defaults to
            100000.

    Yields:
        dict[str, tuple[list, list]]: ``'features'`` F and F_s; ``'channel attention'`` and ``'spatial attention'``,
        as far as there are these halves: the values before G and the gate. Each a list of flat float32 tensors before
        and one after, with one entry a pass; filled while the network runs.
    """
    halves = {'channel attention': amm.channel, 'spatial attention': amm.spatial}
    watched = {'features': amm, **{name: half.function for name, half in halves.items() if half is not None}}
    record: Record = {name: ([], []) for name in watched}
    handles = [module.register_forward_hook(_note(*record[name], max_values)) for name, module in watched.items()]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _note(before: list[Tensor], after: list[Tensor], max_values: int) -> Callable:

    def thin(values: Tensor) -> Tensor:
        values = values.detach().flatten()
        return values[:: -(-len(values) // max_values)].to('cpu', torch.float32, copy=True)

    def hook(_module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        before.append(thin(inputs[0]))
        after.append(thin(output))

    return hook
