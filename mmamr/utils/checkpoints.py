"""Checkpoints that others wrote, brought to the names that the models here have."""

import os
import os.path as osp
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .errors import InputError, unreadable_reason
from .files import atomic_write

# A regular expression for whole names and what becomes of them, as in re.sub; None drops the tensor.
Rule = tuple[str, str | None]


def read_tensors(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read the state dict of a checkpoint, without unpickling anything but tensors.

    Args:
        path (str | PathLike): A file of ``torch.save``: a state dict, or a dictionary with one as ``state_dict``.

    Returns:
        dict[str, Tensor]: By name, without the ``module.`` of a parallel wrapper.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is broken or holds anything but tensors.
    """
    path = os.fspath(path)
    if not osp.isfile(path):
        raise FileNotFoundError(f'{path}: no such checkpoint; name the .pth file that was released')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file fails in any way
        raise InputError(
            f'{path}: no file of tensors that can be read safely ({unreadable_reason(error)}); copy it again, or save '
            'its state_dict() alone'
        ) from None
    tensors = content.get('state_dict', content) if isinstance(content, Mapping) else content
    if (
        not isinstance(tensors, Mapping)
        or not tensors
        or not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in tensors.items())
    ):
        raise InputError(f'{path}: holds no dictionary of tensors by name; save the state_dict() of the network')
    return {name.removeprefix('module.'): value for name, value in tensors.items()}


def rename_tensors(
    path: str, tensors: Mapping[str, Tensor], rules: Sequence[Rule]
) -> tuple[dict[str, Tensor], list[str]]:
    """Give tensors the names that rules say.

    Args:
        path (str): Of the checkpoint, for messages.
        tensors (Mapping[str, Tensor]): By their names in the checkpoint.
        rules (Sequence[tuple[str, str | None]]): The first that matches a whole name decides.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The tensors by their new names, and the old names of those dropped.

    Raises:
        InputError: If no rule matches a name, or names that become one hold different tensors.
    """
    renamed: dict[str, Tensor] = {}
    source: dict[str, str] = {}
    dropped: list[str] = []
    unknown: list[str] = []
    for name, value in tensors.items():
        match, target = next(
            ((match, target) for pattern, target in rules if (match := re.fullmatch(pattern, name))), (None, None)
        )
        if match is None:
            unknown.append(name)
        elif target is None:
            dropped.append(name)
        else:
            target = match.expand(target)
            if target in renamed and not torch.equal(renamed[target], value):
                raise InputError(
                    f'{path}: {source[target]} and {name} are one tensor of the network, but differ here; '
                    'take the file as it was released'
                )
            renamed.setdefault(target, value)
            source.setdefault(target, name)
    if unknown:
        raise InputError(f'{path}: {len(unknown)} unknown tensors ({some(unknown)}); take the file as it was released')
    return renamed, dropped


def fit_tensors(path: str, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """Check that tensors are those of a network, no more and no less.

    Args:
        path (str): Of the checkpoint, for messages.
        tensors (Mapping[str, Tensor]): By the names of the network.
        wanted (Mapping[str, Tensor]): State dict of the network; only names and shapes count.
        what (str): The network, for messages.

    Returns:
        dict[str, Tensor]: In the order of ``wanted``, each contiguous and with memory of its own. Counters of
        BatchNorm that the file, older than they, lacks are 0.

    Raises:
        InputError: If one is missing, left over or of another shape.
    """
    missing = [name for name in wanted if name not in tensors and not name.endswith('num_batches_tracked')]
    faults = [
        f'{len(names)} tensors {fault} ({some(names)})'
        for fault, names in (
            ('are missing', missing),
            ('are none of it', [name for name in tensors if name not in wanted]),
            (
                'have other shapes',
                [name for name in wanted if name in tensors and tensors[name].shape != wanted[name].shape],
            ),
        )
        if names
    ]
    if faults:
        raise InputError(f'{path} is no {what}: {"; ".join(faults)}; take the file as it was released')
    zero = torch.zeros((), dtype=torch.long)
    return {name: tensors.get(name, zero).clone(memory_format=torch.contiguous_format) for name in wanted}


def write_checkpoint(path: str, tensors: Mapping[str, Tensor], meta: Mapping[str, Any] = {}) -> None:
    """Write a checkpoint of mmengine whole: ``state_dict`` and ``meta``.

    Args:
        path (str): The file to write.
        tensors (Mapping[str, Tensor]): The state dict.
        meta (Mapping[str, Any]): Plain values, such as ``dataset_meta``. Defaults to none.
    """
    with atomic_write(path) as file:
        torch.save(dict(meta=dict(meta), state_dict=dict(tensors)), file)


def some(names: Sequence[str], num: int = 3) -> str:
    """The first names of a list."""
    return ', '.join(names[:num]) + (', …' if len(names) > num else '')
