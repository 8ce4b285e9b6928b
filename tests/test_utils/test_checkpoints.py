import ast
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from mmamr.utils import InputError, fit_tensors, read_tensors, rename_tensors, write_checkpoint


class Evil:
    def __reduce__(self):
        return print, ('run',)


def test_reads_what_it_writes(tmp_path):
    tensors = {'a.weight': torch.rand(2, 3), 'b': torch.tensor(4)}
    write_checkpoint(str(tmp_path / 'out' / 'x.pth'), tensors, dict(dataset_meta=dict(classes=('cat', 'dog'))))
    assert all(torch.equal(value, tensors[name]) for name, value in read_tensors(tmp_path / 'out' / 'x.pth').items())
    assert torch.load(tmp_path / 'out' / 'x.pth', weights_only=True)['meta'] == dict(
        dataset_meta=dict(classes=('cat', 'dog'))
    )
    assert [file.name for file in (tmp_path / 'out').iterdir()] == ['x.pth']


@pytest.mark.parametrize('legacy', [False, True])
def test_reads_plain_and_parallel_state_dicts(tmp_path, legacy):
    torch.save(OrderedDict({'module.a': torch.ones(2)}), tmp_path / 'x.pth', _use_new_zipfile_serialization=not legacy)
    assert list(read_tensors(tmp_path / 'x.pth')) == ['a']


@pytest.mark.parametrize('content', [{}, [torch.ones(2)], {'a': 1}, {'state_dict': {'epoch': 3}}, {1: torch.ones(1)}])
def test_refuses_what_is_no_state_dict(tmp_path, content):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(InputError, match=r'x\.pth: holds no dictionary of tensors by name; save the state_dict'):
        read_tensors(tmp_path / 'x.pth')


def test_refuses_broken_and_harmful_files(tmp_path, capsys):
    torch.save({'a': Evil()}, tmp_path / 'evil.pth')
    (tmp_path / 'pickle.pth').write_bytes(pickle.dumps({'a': Evil()}, protocol=2))
    (tmp_path / 'text.pth').write_text('no checkpoint')
    (tmp_path / 'empty.pth').touch()
    for name in ('evil', 'pickle', 'text', 'empty'):
        with pytest.raises(InputError, match=rf'{name}\.pth: no file of tensors that can be read safely') as error:
            read_tensors(tmp_path / f'{name}.pth')
        assert '\n' not in str(error.value)
    assert 'run' not in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match=r'none\.pth: no such checkpoint'):
        read_tensors(tmp_path / 'none.pth')


def test_rename():
    tensors = {'stage.0': torch.ones(2), 'conv': torch.ones(2), 'fc': torch.zeros(1)}
    renamed, dropped = rename_tensors('x.pth', tensors, [(r'(?:stage\.0|conv)', 'c'), (r'f(.)', None)])
    assert list(renamed) == ['c'] and dropped == ['fc']
    tensors['conv'] = torch.zeros(2)
    with pytest.raises(InputError, match=r'x\.pth: stage\.0 and conv are one tensor of the network, but differ here'):
        rename_tensors('x.pth', tensors, [('.*', 'c')])
    with pytest.raises(InputError, match=r'x\.pth: 1 unknown tensors \(stage\.0\)'):
        rename_tensors('x.pth', tensors, [('conv', 'c'), ('fc', None)])


def test_fit():
    wanted = {'w': torch.empty(2, 3, device='meta'), 'num_batches_tracked': torch.empty((), device='meta')}
    weight = torch.rand(3, 2).T
    fitted = fit_tensors('x.pth', {'w': weight}, wanted, 'network')
    assert list(fitted) == list(wanted) and fitted['w'].is_contiguous() and torch.equal(fitted['w'], weight)
    assert fitted['num_batches_tracked'] == 0
    with pytest.raises(InputError, match=r'x\.pth is no network: 1 tensors are missing .*; 1 tensors are none of it'):
        fit_tensors('x.pth', {'v': weight}, wanted, 'network')
    with pytest.raises(InputError, match=r'x\.pth is no network: 1 tensors have other shapes \(w\)'):
        fit_tensors('x.pth', {'w': weight.T}, wanted, 'network')


def test_no_checkpoint_is_read_in_another_way():
    """Nowhere in the repository does a checkpoint's pickle run; before torch 2.6 this must be said each time."""
    root = Path(__file__).parents[2]
    calls = [
        (path, call)
        for folder in ('mmamr', 'tools', 'benchmarks', 'tests', 'configs')
        for path in sorted((root / folder).rglob('*.py'))
        for call in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == 'torch.load'
    ]
    assert len(calls) > 10
    for path, call in calls:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get('weights_only') == 'True', f'{path}, line {call.lineno}'
