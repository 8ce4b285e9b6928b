import pytest
from torch.utils.data import DataLoader

from mmamr.datasets.errors import DatasetError
from mmamr.utils import InputError, one_line_errors


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


@pytest.mark.parametrize('error', [
    InputError('a.npz: broken; make it again'),
    DatasetError('a.jpg: no such image: put it there', kind='missing image'),
    FileNotFoundError('no CAM file a.npz: make it'),
])
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
def test_other_exceptions_pass(error):
    with pytest.raises(type(error), match='a bug'), one_line_errors():
        raise error


def test_nothing_happens_without_an_error():
    with one_line_errors():
        pass
