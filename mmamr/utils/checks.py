"""What a setting may be: one wording for all loops, metrics, models and numerics."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

from .errors import InputError


class SettingError(InputError):
    """A setting that is outside of what it may be; the message names it and what it may be."""


def check_number(
    name: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    whole: bool = False,
) -> None:
    """Refuse what is no finite number, or outside its bounds.

    Args:
        name (str): The setting, for the message.
        value (Any): Its value.
        low (float, optional): The smallest that it may be. Defaults to None: any.
        high (float, optional): The largest. Defaults to None: any.
        above (float, optional): It must be larger than this. Defaults to None.
        whole (bool): Whether it must be a whole number. Defaults to False.

    Raises:
        SettingError: If it is not so.
    """
    kind: Any = Integral if whole else Real
    if (
        isinstance(value, bool)
        or not isinstance(value, kind)
        or not math.isfinite(value)
        or (low is not None and value < low)
        or (high is not None and value > high)
        or (above is not None and value <= above)
    ):
        raise SettingError(f'{name} must be {_bounds(low, high, above, whole)}, but got {value!r}')


def check_numbers(
    name: str,
    values: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    least: int = 1,
    ascending: bool = False,
) -> None:
    """Refuse what is no sequence of finite numbers within bounds; see :func:`check_number`.

    Args:
        name (str): The setting, for the message.
        values (Any): Its value.
        low, high, above (float, optional): Bounds of each number. Default to None.
        least (int): How many there must be at least. Defaults to 1.
        ascending (bool): Whether none may be smaller than the one before. Defaults to False.

    Raises:
        SettingError: If it is not so.
    """
    if isinstance(values, (str, Mapping)) or not isinstance(values, Sequence) or len(values) < least:
        raise SettingError(f'{name} must be {"some" if least == 1 else least} numbers in a list, but got {values!r}')
    for value in values:
        try:
            check_number(name, value, low, high, above=above)
        except SettingError:
            bounds = _bounds(low, high, above, False)
            raise SettingError(f'each of {name} must be {bounds}, but got {values!r}') from None
    if ascending and any(one > other for one, other in pairwise(values)):
        raise SettingError(f'{name} must ascend, but got {values!r}')


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Refuse what is none of the choices.

    Raises:
        SettingError: Names the setting and the choices.
    """
    known = tuple(choices)
    if not any(type(value) is type(one) and value == one for one in known):
        raise SettingError(f'{name} must be one of {known}, but got {value!r}')


def check_flag(name: str, value: Any) -> None:
    """Refuse what is neither True nor False: the text ``'no'`` would count as True.

    Raises:
        SettingError: Names the setting.
    """
    if not isinstance(value, bool):
        raise SettingError(f'{name} must be True or False, but got {value!r}')


def check_keys(name: str, given: Any, known: Iterable[str]) -> None:
    """Refuse keys of a dict that nobody reads.

    Args:
        name (str): The setting that is this dict, for the message.
        given (Any): Its value.
        known (Iterable[str]): The keys that it may have.

    Raises:
        SettingError: Names the first key that is none of these, and the one that was most likely meant.
    """
    if not isinstance(given, Mapping):
        raise SettingError(f'{name} must be a dict, but got {given!r}')
    known = tuple(known)
    unknown = next((key for key in given if key not in known), None)
    if unknown is not None:
        raise SettingError(
            f'{name} has no {unknown}{did_you_mean(str(unknown), known)}; it may have {", ".join(known)}'
        )


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``', did you mean …?'`` where one of the known words is close; else nothing."""
    close = difflib.get_close_matches(word, [str(one) for one in known], 1, cutoff)
    return f' (did you mean {close[0]}?)' if close else ''


def _bounds(low: float | None, high: float | None, above: float | None, whole: bool) -> str:
    kind = 'a whole number ' if whole else ''
    if high is not None and (low is not None or above is not None):
        return f'{kind}in {"[" if above is None else "("}{low if above is None else above:g}, {high:g}]'
    if above is not None:
        return f'{kind}larger than {above:g}'
    if low is not None:
        return f'{kind}of at least {low:g}' if whole else f'at least {low:g}'
    return 'a whole number' if whole else 'a finite number'
