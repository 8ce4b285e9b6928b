import errno
import logging
import multiprocessing.connection
import re
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch
from torch.utils.data import DataLoader

from mmamr.registry import HOOKS
from mmamr.utils import DatasetError, InputError, failure_line, one_line_errors


class Broken:
    """A data set whose second item cannot be read."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index == 1:
            raise self.error
        return index


@pytest.mark.parametrize(
    'error',
    [
        InputError('a.npz: broken; make it again'),
        DatasetError('a.jpg: no such image: put it there', kind='missing image'),
        FileNotFoundError('no CAM file a.npz: make it'),
    ],
)
@pytest.mark.parametrize('workers', [0, 1])
def test_one_line_and_no_traceback(error, workers):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        list(DataLoader(Broken(error), num_workers=workers))
    assert caught.value.code == str(error)
    assert caught.value.__suppress_context__


def test_line_of_an_error():
    assert InputError('one line').line == 'one line'
    assert DatasetError('').line == 'DatasetError'
    assert DatasetError('one', kind='kind').kind == 'kind'


@pytest.mark.parametrize('error', [ValueError('a bug'), KeyError('a bug'), RuntimeError('a bug')])
def test_a_fault_of_the_program_says_where_to_report_it(error, capsys):
    with pytest.raises(SystemExit, match=r'^this is a fault of mmamr.*report the lines above'), one_line_errors():
        raise error
    printed = capsys.readouterr().err
    assert printed.startswith('Traceback') and 'a bug' in printed.splitlines()[-1]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        open(tmp_path / 'a.py')
    assert caught.value.code == f'{tmp_path / "a.py"}: there is no such file or folder; check the path'


class Refusing:
    """A part of a config that refuses, or fails, in the way that it is told."""

    def __init__(self, error=None):
        if error is not None:
            raise error


SETTINGS = [
    (dict(type='Refusing', error=ValueError('ξ must be in [0, 1],\nbut got 2')), r'ξ must be in \[0, 1\], but got 2'),
    (dict(type='Refusing', error=AssertionError('one of the two')), 'one of the two'),
    (dict(type=Refusing, error=ValueError('odd')), 'odd'),
    (dict(type='Refusing', stepss=3), "unexpected keyword argument 'stepss'"),
    (dict(type='Refuzing'), '^Refuzing is not in the .* registry;'),
    (dict(error=None), 'must contain the key "type"'),
]
"""A config that cannot be built, and a pattern of what its one line says."""


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setitem(HOOKS.module_dict, 'Refusing', Refusing)
    return HOOKS


@pytest.mark.parametrize('config, said', SETTINGS)
def test_a_setting_that_is_refused_is_one_line(config, said, registry):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        registry.build(config)
    line = caught.value.code
    assert re.search(said, line) and '\n' not in line
    assert 'check the config and --cfg-options' in line
    assert line.startswith(('Refusing', 'Refuzing', 'config: '))


@pytest.mark.parametrize('error', [TypeError('a bug'), KeyError('a bug'), RuntimeError('a bug'), AssertionError()])
def test_a_bug_in_a_constructor_keeps_its_traceback(error, registry, capsys):
    with pytest.raises(SystemExit, match='fault of mmamr'), one_line_errors():
        registry.build(dict(type='Refusing', error=error))
    assert 'Traceback' in capsys.readouterr().err


def test_a_bug_after_the_config_is_built_keeps_its_traceback(registry, capsys):
    registry.build(dict(type='Refusing'))
    with pytest.raises(SystemExit, match='fault of mmamr'), one_line_errors():
        raise ValueError('a bug')
    assert 'Traceback' in capsys.readouterr().err


def test_nothing_happens_without_an_error():
    with one_line_errors():
        pass


def os_error(number, filename=None):
    return OSError(number, 'words of the system', filename)


@pytest.mark.parametrize(
    'error, line',
    [
        (os_error(errno.ENOSPC, 'a.npz'), 'a.npz: the disk is full; make room'),
        (os_error(errno.EDQUOT), 'the disk is full; make room'),
        (os_error(errno.EFBIG, 'a.npz'), 'a.npz: the file is larger than this disk or your limit (ulimit -f) allows'),
        (os_error(errno.EROFS, 'a.npz'), 'a.npz: words of the system; choose a folder that you may write'),
        (MemoryError('Unable to allocate 9 GiB'), 'out of memory; lower the batch size'),
        (torch.cuda.OutOfMemoryError('CUDA out of memory.'), 'out of memory; lower the batch size'),
        (
            RuntimeError('CUDA error: out of memory\nCUDA kernel errors might be reported later.'),
            'out of memory; lower',
        ),
        (RuntimeError('cuDNN error: CUDNN_STATUS_ALLOC_FAILED'), 'out of memory; lower'),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"), 'out of memory; lower'),
        (
            RuntimeError('unable to write to file </torch_1>: No space left on device (28)'),
            'the shared memory of the data',
        ),
        (RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. '), 'a worker of the data loader died; '),
        (BrokenProcessPool('A process in the process pool was terminated'), 'a worker of the data loader died; '),
    ],
)
def test_failures_of_the_machine(error, line):
    assert failure_line(error).startswith(line) and '\n' not in failure_line(error)


@pytest.mark.parametrize('error', [FileNotFoundError, ConnectionRefusedError, ConnectionResetError, EOFError])
def test_a_worker_that_died_while_it_handed_over_a_batch(error, monkeypatch):

    def fail(*args):
        raise error('gone')

    monkeypatch.setattr(multiprocessing.connection, 'SocketClient', fail)
    with pytest.raises(error) as caught:
        multiprocessing.connection.Client('/tmp/of-a-dead-worker')
    assert failure_line(caught.value).startswith('a worker of the data loader died; ')
    # anywhere else it is what it says
    assert failure_line(error('no file')) == ('no file' if error is FileNotFoundError else None)


def test_a_full_disk_behind_another_error():
    try:
        try:
            raise os_error(errno.ENOSPC, 'a.npz')
        finally:
            raise ValueError("Can't close the ZIP file while there is an open writing handle on it.")
    except ValueError as error:
        assert failure_line(error).startswith('a.npz: the disk is full')
    try:
        try:
            raise FileNotFoundError('a.npz')
        finally:
            raise ValueError('a bug')
    except ValueError as error:
        assert failure_line(error) is None


def test_a_log_that_cannot_be_written_is_no_traceback(capsys):
    handler = logging.FileHandler('/dev/full')
    logger = logging.getLogger('of_a_full_disk')
    logger.propagate = False
    logger.addHandler(handler)
    with one_line_errors():
        logger.warning('lost')
        assert not logging.raiseExceptions
    assert logging.raiseExceptions and capsys.readouterr().err == ''
