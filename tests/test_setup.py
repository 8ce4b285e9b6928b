"""What setup.py puts inside the package."""

import os
import runpy
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / 'setup.py'


@pytest.fixture
def tree(tmp_path):
    for name in (
        'configs/amr/a.py',
        'configs/amr/metafile.yml',
        'tools/train.py',
        'tools/analysis_tools/vis.py',
        'model-index.yml',
        'mmamr/__init__.py',
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize('command, link', [('bdist_wheel', False), ('sdist', False), ('editable_wheel', True)])
def test_configs_and_tools_are_inside_the_package(tree, monkeypatch, command, link):
    setup = runpy.run_path(str(SETUP), init_globals={})
    monkeypatch.setitem(setup['add_mim_extension'].__globals__, 'ROOT', str(tree))
    monkeypatch.setattr('sys.argv', ['setup.py', command])
    setup['add_mim_extension']()
    mim = tree / 'mmamr' / '.mim'
    for name in ('configs/amr/a.py', 'tools/train.py', 'tools/analysis_tools/vis.py', 'model-index.yml'):
        assert (mim / name).read_text() == name
    assert all(os.path.islink(mim / name) == link for name in ('configs', 'tools', 'model-index.yml'))
    if not link:
        assert {
            '.mim/configs/amr/metafile.yml',
            '.mim/tools/train.py',
            '.mim/tools/analysis_tools/vis.py',
            '.mim/model-index.yml',
        } <= set(setup['mim_files']())


def test_other_commands_leave_the_tree_alone(tree, monkeypatch):
    setup = runpy.run_path(str(SETUP))
    monkeypatch.setitem(setup['add_mim_extension'].__globals__, 'ROOT', str(tree))
    monkeypatch.setattr('sys.argv', ['setup.py', 'egg_info'])
    setup['add_mim_extension']()
    assert not (tree / 'mmamr' / '.mim').exists()
