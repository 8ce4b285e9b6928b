import importlib.util
import os.path as osp
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

TOOL = osp.join(osp.dirname(__file__), '..', '..', 'tools', 'make_voc_submission.py')
SPEC = importlib.util.spec_from_file_location('make_voc_submission', TOOL)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.fixture
def voc(tiny_voc):
    """The four photos of the tiny data set's val list as a test split, and a prediction of each."""
    val = tiny_voc / 'ImageSets' / 'Segmentation' / 'val.txt'
    val.rename(val.with_name('test.txt'))
    (tiny_voc / 'predictions').mkdir()
    for img_id in val.with_name('test.txt').read_text().split():
        size = Image.open(tiny_voc / 'JPEGImages' / f'{img_id}.jpg').size
        Image.fromarray(np.ones(size[::-1], np.uint8)).save(tiny_voc / 'predictions' / f'{img_id}.png')
    return tiny_voc


def run(voc, *args):
    return tool.main([*map(str, args), '--data-root', str(voc)])


def test_packs_and_checks(voc, capsys):
    assert run(voc, voc / 'predictions', voc / 'out.tgz') == 0
    assert run(voc, '--check', voc / 'out.tgz') == 0
    assert capsys.readouterr().out.count('out.tgz: 4 masks, ready for the server') == 2
    assert run(voc, '--check', voc / 'out.tgz', '--competition', 'comp5') == 1
    assert '8 faults' in capsys.readouterr().out


def test_one_line_for_a_missing_prediction(voc, capsys):
    (voc / 'predictions' / 'img_09.png').unlink()
    assert run(voc, voc / 'predictions', voc / 'out.tgz') == 1
    error = capsys.readouterr().err.strip()
    assert 'img_09.png: no such mask' in error and '\n' not in error
    assert not (voc / 'out.tgz').exists()


def test_one_line_for_a_missing_list(voc, capsys):
    assert run(voc, '--check', voc / 'out.tgz', '--split', 'ImageSets/Segmentation/none.txt') == 1
    assert 'none.txt: no such list' in capsys.readouterr().err


@pytest.mark.parametrize('args', [[], ['predictions'], ['predictions', 'out.tgz', '--check', 'out.tgz']])
def test_wrong_usage(args):
    with pytest.raises(SystemExit):
        tool.main(args)


@pytest.mark.slow
def test_as_a_command(voc):
    done = subprocess.run(
        [sys.executable, TOOL, voc / 'predictions', voc / 'out.tgz', '--data-root', voc],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith('ready for the server')
