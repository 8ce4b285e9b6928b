import os
import pickle

import numpy as np
import pytest

from mmamr.datasets import LabelTable
from mmamr.structures import VOC_CLASSES, ClassIndex


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/irnet_labels.py').main


def vector(*labels):
    out = np.zeros(20, dtype=np.float32)
    out[list(labels)] = 1
    return out


def save(path, table, protocol):
    """As np.save writes it under some version of Python and NumPy."""
    with open(path, 'wb') as file:
        np.lib.format.write_array_header_1_0(file, dict(descr='|O', fortran_order=False, shape=()))
        pickle.dump(np.array(table, dtype=object), file, protocol=protocol)


@pytest.mark.parametrize('protocol', [2, 3, 4])
@pytest.mark.parametrize('key', [str, np.str_, int, np.int32])
def test_tables_of_any_age(main, tmp_path, protocol, key):
    source = tmp_path / 'cls_labels.npy'
    save(source, {key('2007_000032'): vector(0, 14), key('2011_003276'): vector()}, protocol)
    assert main([str(source), str(tmp_path / 'out.npz')]) == 0
    labels = LabelTable(file='out.npz', data_root=str(tmp_path), class_index=ClassIndex(VOC_CLASSES))
    assert labels('2007_000032') == [0, 14] and labels('2011_003276') == []


def test_as_numpy_saves_it_today(main, tmp_path, capsys):
    np.save(tmp_path / 't.npy', {'a': np.uint8([[1, 0], [0, 1]]).T[0], 'b': np.array([True, True])})
    assert main([str(tmp_path / 't.npy'), str(tmp_path / 'out.npz'), '--classes', 'dog', 'cat']) == 0
    assert '2 images, 3 pairs' in capsys.readouterr().out
    with np.load(tmp_path / 'out.npz', allow_pickle=False) as table:
        assert table['classes'].tolist() == ['dog', 'cat'] and table['labels'].tolist() == [[1, 0], [1, 1]]


class Evil:
    def __init__(self, call, *args):
        self.call = call, args

    def __reduce__(self):
        return self.call


def test_nothing_is_run(main, tmp_path, capsys):
    for evil in (Evil(os.mkdir, str(tmp_path / 'trap')), Evil(eval, '1'), Evil(np.load, 'x'), np.dtype([('a', 'i4')])):
        save(tmp_path / 't.npy', {'a': evil}, 4)
        assert main([str(tmp_path / 't.npy'), str(tmp_path / 'out.npz')]) == 1
        assert 't.npy: holds more than a table of labels and was not read' in capsys.readouterr().out
    assert not (tmp_path / 'trap').exists() and not (tmp_path / 'out.npz').exists()


@pytest.mark.parametrize(
    'table, message',
    [
        ({'../../x': vector(1)}, "the id '../../x' is a path"),
        ({'a': vector(1) * 2}, 'labels of a are no vector of 0 and 1'),
        ({'a': vector(1), 'b': np.ones(3)}, 'labels of b are no vector'),
        ({'a': np.ones(3)}, r'shape (1, 3), expected (1, 20); set --classes'),
        ({3.5: vector(1)}, '3.5 as the name of an image'),
        ({'a': [1, 0]}, 'broken table'),
        ({'a': np.array([None])}, 'no vector of 0 and 1'),
        ({}, 'expected (0, 20)'),
    ],
)
def test_wrong_tables_end_with_one_line(main, tmp_path, capsys, table, message):
    save(tmp_path / 't.npy', table, 4)
    assert main([str(tmp_path / 't.npy'), str(tmp_path / 'out.npz')]) == 1
    out = capsys.readouterr().out
    assert message in out and len(out.splitlines()) == 1


def test_other_files(main, tmp_path, capsys):
    path = tmp_path / 't.npy'
    assert main([str(path), 'out.npz']) == 1
    assert 'no such table' in capsys.readouterr().out
    np.save(path, np.zeros((3, 20)))
    assert main([str(path), 'out.npz']) == 1
    assert 'not a pickled dictionary' in capsys.readouterr().out
    save(path, {'a': vector(1)}, 4)
    path.write_bytes(path.read_bytes()[:-30])
    assert main([str(path), 'out.npz']) == 1
    assert 'broken table' in capsys.readouterr().out
