"""Convert the label table of AffinityNet, IRNet and the released AMR, once, to a file without pickle.

    python tools/dataset_converters/irnet_labels.py voc12/cls_labels.npy data/VOCdevkit/VOC2012/cls_labels.npz

``cls_labels.npy`` is a pickled dictionary from image to a vector of 0 and 1. Unpickling can run any code, so this
reader never looks up a name that the pickle asks for: the stand-ins below replace what a pickled array consists of,
and everything else is refused. Then: ``labels=dict(type='LabelTable', file='cls_labels.npz')``.
"""

import argparse
import io
import pickle
import re
import sys
from typing import Any

import numpy as np

from mmamr.datasets.splits import check_id
from mmamr.structures import VOC_CLASSES
from mmamr.utils import DatasetError, atomic_write, one_line_errors


class ForeignObject(Exception):
    """The pickle asks for something that is no array of numbers."""


class PickledDtype:
    """Stands in for ``numpy.dtype`` of numbers, strings and objects."""

    def __init__(self, name: str, *_: Any) -> None:
        if not re.fullmatch(r'[biufUS]\d+|O\d*', name):
            raise ForeignObject(f'dtype {name!r}')
        self.name = name
        self.order = '='

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1] if state[1] in ('<', '>') else '='

    def read(self, data: bytes) -> np.ndarray:
        """The values in ``data``, which hold no objects."""
        if self.name.startswith('O'):
            raise ForeignObject('an array of objects where numbers belong')
        return np.frombuffer(data, dtype=np.dtype(self.order + self.name))


class PickledArray:
    """Stands in for ``numpy.ndarray``; ``value`` is an array of numbers, or a list of objects."""

    value: Any = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        if isinstance(data, list):
            self.value = data
        else:
            self.value = dtype.read(data).reshape(shape, order='F' if fortran else 'C')


class TableUnpickler(pickle.Unpickler):
    """Reads arrays of numbers and built-in containers, and nothing else."""

    STAND_INS = {
        ('numpy', 'ndarray'): PickledArray,
        ('numpy', 'dtype'): PickledDtype,
        ('multiarray', '_reconstruct'): lambda *_: PickledArray(),
        ('multiarray', 'scalar'): lambda dtype, data: dtype.read(data)[0].item(),
        # How Python 3 writes bytes for Python 2.
        ('_codecs', 'encode'): lambda text, _: text.encode('latin1'),
    }

    def find_class(self, module: str, name: str) -> Any:
        # numpy.core of numpy 1 is numpy._core in numpy 2.
        module = re.sub(r'^numpy\._?core\.multiarray$', 'multiarray', module)
        if (module, name) not in self.STAND_INS:
            raise ForeignObject(f'{module}.{name}')
        return self.STAND_INS[module, name]


def read_table(path: str) -> dict[str, np.ndarray]:
    """Read ``cls_labels.npy``.

    Args:
        path (str): The file.

    Returns:
        dict[str, np.ndarray]: Vector of 0 and 1 of each image id.

    Raises:
        DatasetError: If the file is missing, holds anything but such a table, or an id is a path.
    """
    try:
        with open(path, 'rb') as file:
            stream = io.BytesIO(file.read())
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        if shape != () or not dtype.hasobject:
            raise DatasetError(
                f"{path}: an array of {dtype} of shape {shape}, not a pickled dictionary; give IRNet's cls_labels.npy"
            )
        (table,) = TableUnpickler(stream, encoding='latin1').load().value
        rows = {image_name(key): np.ravel(vector.value) for key, vector in table.items()}
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such table; give IRNet's cls_labels.npy") from None
    except DatasetError:
        raise
    except ForeignObject as error:
        raise DatasetError(
            f"{path}: holds more than a table of labels and was not read ({error}); give IRNet's cls_labels.npy"
        ) from None
    except Exception as error:  # a damaged pickle fails in any way
        raise DatasetError(f'{path}: broken table ({type(error).__name__}: {error}); copy it again') from None
    for img_id, vector in rows.items():
        check_id(img_id, path)
        if vector.shape != rows[next(iter(rows))].shape or not np.isin(vector, (0, 1)).all():
            raise DatasetError(f'{path}: the labels of {img_id} are no vector of 0 and 1; copy the table again')
    return rows


def image_name(key: Any) -> str:
    """IRNet writes 2007_000032 as the number 2007000032; AffinityNet as text."""
    if isinstance(key, int):
        return f'{str(key)[:4]}_{str(key)[4:]}'
    if isinstance(key, str):
        return key
    raise ForeignObject(f'{key!r} as the name of an image')


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Convert IRNet's cls_labels.npy to a file without pickle")
    parser.add_argument('table', help='cls_labels.npy')
    parser.add_argument('out', help='the .npz to write')
    parser.add_argument('--classes', nargs='+', default=VOC_CLASSES, help="names of the columns (VOC's 20)")
    args = parser.parse_args(argv)
    try:
        rows = read_table(args.table)
        labels = np.array(list(rows.values()), dtype=np.uint8)
        if labels.shape != (len(rows), len(args.classes)):
            raise DatasetError(
                f'{args.table}: the labels have shape {labels.shape}, expected '
                f'({len(rows)}, {len(args.classes)}); set --classes'
            )
    except DatasetError as error:
        print(error)
        return 1
    with atomic_write(args.out) as file:
        np.savez_compressed(file, ids=np.array(list(rows)), classes=np.array(args.classes), labels=labels)
    print(f'{len(rows)} images, {int(labels.sum())} pairs of image and class in {args.out}')
    return 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
