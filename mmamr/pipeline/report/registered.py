"""Settings that were read as data name classes; only registered ones may be built from them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from mmengine.registry import Registry

from mmamr.registry import DATASETS, MODELS, TASK_UTILS, TRANSFORMS, WEIGHT_INITIALIZERS
from mmamr.utils import InputError

SCOPES = ('mmamr', 'mmengine', 'mmseg', 'mmpretrain')
"""Packages that may be imported to look for a class. Of others, what this process has imported already is known."""
REGISTRIES = (MODELS, DATASETS, TRANSFORMS, TASK_UTILS, WEIGHT_INITIALIZERS)
"""Of what a report builds."""
LOADERS = {'LoadImage', 'LoadMask', 'LoadImageFromFile', 'LoadAnnotations'}
"""Steps that read images; others of their kind unpickle files."""


def check_registered(settings: Any, default_scope: str, where: str) -> None:
    """Refuse settings that name anything but registered classes.

    mmengine would import whatever module a ``type`` names, and call whatever function.

    Args:
        settings (Any): Nested dicts and lists.
        default_scope (str): Where names without a scope are looked for.
        where (str): What the settings are of, for the message.

    Raises:
        InputError: If a ``type`` or scope is no registered one.
    """
    for key, value in (('default_scope', default_scope), *_names(settings)):
        scope, _, name = str(value).rpartition('.') if key == 'type' else (str(value), '', '')
        scope = scope or default_scope
        if not is_known(scope) or (key == 'type' and not is_registered(scope, name)):
            raise InputError(f'{where} name {key} {value!r}, which is no registered class, so nothing is built of them')
        if name.startswith('Load') and name not in LOADERS:
            raise InputError(f'{where} name {name}, which may run what it reads; a report reads photos and masks only')


def is_known(scope: str) -> bool:
    """Whether a scope is one whose classes may be looked for."""
    return scope in SCOPES or any(scope in registry.parent.children for registry in REGISTRIES)


def is_registered(scope: str, name: str) -> bool:
    """Whether a class is registered under a scope, or for all scopes; nothing but the scope's package is imported."""
    if not is_known(scope):
        return False
    if scope in SCOPES:
        import_module(f'{scope}.registry')
    return any(name in one.module_dict for registry in REGISTRIES for one in _tree(registry, scope))


def _tree(registry: Registry, scope: str) -> Iterator[Registry]:
    """The registries of the kind of ``registry`` that are asked for names of a scope."""
    root = registry.parent
    for one in (root.children.get(scope), root):
        if one is not None:
            one.import_from_location()
            yield one


def _names(settings: Any) -> Iterator[tuple[str, Any]]:
    """Every ``type`` and ``_scope_`` in nested settings."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if key in ('type', '_scope_'):
                yield key, value
            else:
                yield from _names(value)
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            yield from _names(value)
