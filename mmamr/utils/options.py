"""Settings from the command line, in which names stay what they are."""

import argparse
import csv
import json
from collections.abc import Iterable
from typing import Any

from .errors import InputError

TEXTS = (
    'data_root',
    'work_dir',
    'load_from',
    'split',
    'ann_file',
    'img_dir',
    'mask_dir',
    'label_dir',
    'ann_dir',
    'cam_dir',
    'out_dir',
    'output_dir',
    'file',
    'masks',
    'checkpoint',
)
"""Settings that are one text, whatever is in it: last parts of dotted keys."""


class DictAction(argparse.Action):
    """``KEY=VALUE`` pairs for ``--cfg-options``, as mmengine's action of that name reads them, but blanks stay.

    A value is a number, True, False, None, a text, or a list of them: ``a,b``, ``[a,b]`` or ``(a,b)``, also nested.
    What stands in quotes is a text: ``key='"2024"'``. Names are never anything else: a value of one of :data:`TEXTS` is
    taken as it is (but for None), and ``classes`` are texts, ``classes=007`` a list of one.

    Raises:
        SystemExit: If a pair has no ``=`` or its brackets do not match.
    """

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        options = dict(getattr(namespace, self.dest, None) or {})
        for pair in values or ():
            key, sign, value = pair.partition('=')
            if not sign or not key.strip():
                parser.error(f'{option_string} {pair}: write KEY=VALUE')
            try:
                options[key.strip()] = parse_value(key.strip(), value)
            except InputError as error:
                parser.error(f'{option_string} {pair}: {error}')
        setattr(namespace, self.dest, options)


def parse_value(key: str, value: str) -> Any:
    """The value of a setting from its text on the command line.

    Args:
        key (str): Its dotted key.
        value (str): The text.

    Raises:
        InputError: If brackets or quotes do not match.
    """
    name = key.rpartition('.')[2]
    if name in TEXTS:
        return None if value == 'None' else value
    if name == 'classes':
        return None if value == 'None' else split_names([value])
    parsed = _parse(value)
    if name == 'mask_values' and isinstance(parsed, int):
        return [parsed]
    return parsed


def split_names(values: Iterable[str]) -> list[str]:
    """Names from the command line, each a text.

    Args:
        values (Iterable[str]): Each with one or several names: ``traffic light,dog``; a name with a comma in quotes,
            ``'"big, red",dog'``, or all as JSON, ``'["big, red", "dog"]'``.

    Raises:
        InputError: If a name is empty, or JSON is broken.
    """
    names: list[str] = []
    for value in values:
        if value.lstrip().startswith('['):
            try:
                found = json.loads(value)
            except ValueError:  # [a,b], as mmengine writes lists
                found = next(csv.reader([value.strip()[1:-1].replace("'", '"')], skipinitialspace=True), [])
            names += [str(name) for name in found]
        elif value.startswith('(') and value.endswith(')') and ',' in value:
            names += next(csv.reader([value[1:-1].rstrip(',')], skipinitialspace=True))
        else:
            names += next(csv.reader([value], skipinitialspace=True), [''])
    names = [name.strip() for name in names]
    if not all(names) or not names:
        raise InputError('a name of a class is empty; write e.g. --classes "traffic light,dog"')
    return names


def _parse(text: str) -> Any:
    """A value, or a list of values."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in '\'"' and text[0] not in text[1:-1]:
        inner = text[1:-1]
        return _parse(inner) if inner[:1] in ('[', '(') else inner
    if text[:1] in ('[', '(') and text[-1:] == {'[': ']', '(': ')'}[text[:1]]:
        values = [_parse(part) for part in _split(text[1:-1])]
        return tuple(values) if text[0] == '(' else values
    parts = _split(text)
    return _parse_one(text) if len(parts) < 2 and not text.endswith(',') else [_parse(part) for part in parts]


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    parts, depth, quote = [''], 0, ''
    for place, character in enumerate(text):
        if quote:
            quote = '' if character == quote else quote
        elif character in '\'"' and not parts[-1].strip() and character in text[place + 1 :]:
            quote = character
        elif character in '[(':
            depth += 1
        elif character in '])':
            depth -= 1
        if depth < 0:
            break
        if character == ',' and not depth and not quote:
            parts.append('')
        else:
            parts[-1] += character
    if depth:
        raise InputError('its brackets do not match')
    return parts[:-1] if not parts[-1].strip() else parts


def _parse_one(text: str) -> Any:
    """A number, True, False, None or a text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {'true': True, 'false': False}.get(text.lower(), None if text == 'None' else text)


class _SetOption(argparse.Action):
    """Put the value of a flag among the settings of ``--cfg-options``, by the key ``const``."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        options = dict(namespace.cfg_options or {})
        if self.const == CLASSES:
            try:
                values = [*options.get(CLASSES, ()), *split_names([values])]
            except InputError as error:
                parser.error(str(error))
        options[self.const] = values
        namespace.cfg_options = options


CLASSES = 'metainfo.classes'


def add_config_arguments(parser: argparse.ArgumentParser, examples: str) -> None:
    """Add ``--cfg-options`` to a tool that takes a config, and the flags for a folder of photos, which set options.

    Args:
        parser (ArgumentParser): Of the tool; its namespace gets ``cfg_options``, None or a dict.
        examples (str): End of the help of ``--cfg-options``.
    """
    data = parser.add_argument_group('your photos', 'in the place of the data set of the config')
    flags = {
        '--data-root': (
            'data_root',
            'DIR',
            'a folder of photos with tags in any of the usual formats, or in the layout of VOC',
        ),
        '--labels': ('labels', 'FILE|FORMAT', 'file of the tags, or their format, if there are several'),
        '--masks': (
            'masks',
            'FILE|DIR',
            'masks that a person drew or corrected: PNGs, or outlines in COCO, LabelMe or CVAT files; they become '
            'the pseudo labels of photos to train with',
        ),
        '--classes': (
            CLASSES,
            'A,B',
            'names of the classes, if not all that the tags name; a name with a comma in quotes',
        ),
    }
    for flag, (key, metavar, text) in flags.items():
        data.add_argument(flag, action=_SetOption, const=key, dest=argparse.SUPPRESS, metavar=metavar, help=text)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help=f'override settings of the config, {examples}',
    )
