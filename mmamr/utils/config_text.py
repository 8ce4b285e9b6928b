"""Configs as text, read as data: nothing in them is run."""

import ast
import os
import re
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config

from .errors import InputError, unreadable_reason

NAMES = {'inf': float('inf'), 'nan': float('nan')}
"""Numbers that Python prints as names."""
REGISTERED = re.compile(r'((mmamr|mmseg|mmpretrain|mmcv|mmengine|mmdet)\.)?\w+')
"""What a ``type`` looks like that a registry of OpenMMLab holds."""


def parse_config(text: str, where: str = 'the config') -> dict[str, Any]:
    """Read what mmengine writes with ``Config.pretty_text``: assignments of plain values.

    Values are strings, numbers, lists, tuples, dicts, ``dict(…)`` and None; nothing is executed, so that the text may
    come from anybody's checkpoint.

    Args:
        text (str): The text.
        where (str): Where it stands, for messages. Defaults to 'the config'.

    Returns:
        dict: The settings by name.

    Raises:
        InputError: If there is anything else in it.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = (str(error).splitlines() or [''])[0]
        raise InputError(f'{where} cannot be read ({reason}); name the config file by --config') from None
    settings: dict[str, Any] = {}
    for statement in body:
        if (
            not isinstance(statement, ast.Assign)
            or len(statement.targets) != 1
            or not isinstance(statement.targets[0], ast.Name)
        ):
            raise _no_data(where, statement)
        settings[statement.targets[0].id] = _value(statement.value, where)
    return settings


def _value(node: ast.expr, where: str) -> Any:
    """The plain value of an expression."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_value(item, where) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, where) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_value(item, where) for item in node.elts}
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        return {_value(key, where): _value(item, where) for key, item in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.Name) and node.id in NAMES:
        return NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand, where)
        if isinstance(value, (int, float)):
            return -value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        start = [_value(item, where) for item in node.args]
        if len(start) <= 1 and all(isinstance(item, dict) for item in start):
            named = {item.arg: _value(item.value, where) for item in node.keywords if item.arg is not None}
            if len(named) == len(node.keywords):
                return {**(start[0] if start else {}), **named}
    raise _no_data(where, node)


def _no_data(where: str, node: ast.AST) -> InputError:
    return InputError(
        f'{where} holds code instead of settings (line {getattr(node, "lineno", "?")}), which is not run; name the '
        'config file by --config'
    )


def read_checkpoint_meta(path: str | os.PathLike) -> dict[str, Any]:
    """What mmengine wrote about a training into its checkpoint, without its tensors.

    Args:
        path (str | PathLike): The file; nothing but plain values and tensors is unpickled.

    Returns:
        dict: ``meta``, such as ``cfg``, ``dataset_meta``, ``epoch`` and ``iter``; empty where there is none.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no checkpoint.
    """
    path = os.path.expanduser(os.fspath(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no checkpoint {path}: train the model first, or name another file')
    try:
        try:
            content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
        except RuntimeError:  # the format of torch before 1.6 has no map
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file fails in any way
        raise InputError(
            f'{path} is no checkpoint ({unreadable_reason(error)}): name a .pth file of a training'
        ) from None
    meta = content.get('meta') if isinstance(content, Mapping) else None
    return dict(meta) if isinstance(meta, Mapping) else {}


def config_of_checkpoint(path: str | os.PathLike) -> Config | None:
    """The config that a checkpoint was trained with, from the text that mmengine puts into it.

    Args:
        path (str | PathLike): The checkpoint.

    Returns:
        Config, optional: None where the checkpoint has none, as those that hold weights alone.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it is no checkpoint, or its config is no plain data.
    """
    text = read_checkpoint_meta(path).get('cfg')
    if not isinstance(text, str) or not text.strip():
        return None
    return Config(parse_config(text, f'{os.fspath(path)}: the config in it'))


def check_types(settings: Any, where: str) -> None:
    """See that settings from a file of somebody else build nothing but what is registered.

    mmengine takes ``type='os.system'`` for the function of that name. Allowed are names of the registries, with or
    without the package in front.

    Args:
        settings (Any): Nested dicts and lists, such as the model of a config.
        where (str): Where they stand, for messages.

    Raises:
        InputError: If a type is another one.
    """
    if isinstance(settings, Mapping):
        for key in ('type', '_scope_'):
            value = settings.get(key)
            if value is not None and not (isinstance(value, str) and REGISTERED.fullmatch(value)):
                raise InputError(
                    f'{where} asks for {key}={value!r}, which is in no registry and may run anything; if you trust it, '
                    'name the config file by --config'
                )
    if isinstance(settings, Mapping):
        settings = list(settings.values())
    for value in settings if isinstance(settings, (list, tuple)) else ():
        check_types(value, where)
