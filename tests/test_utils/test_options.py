"""Settings from the command line: names stay what they are."""

import argparse

import pytest
from mmengine.config import DictAction as MMEngineAction

from mmamr.utils import DictAction, InputError, add_config_arguments, split_names
from mmamr.utils.options import parse_value


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    add_config_arguments(parser, 'e.g. a=1')
    return lambda *argv: parser.parse_args(argv).cfg_options


@pytest.mark.parametrize(
    'text',
    ['1', '1.5', '1e-3', 'true', 'False', 'None', 'a', '[1,2]', '(1,)', '()', '[]', 'a,b', '1,a,2.5', "['a','b']"]
    + ['[(1,2),[a,b]]', '[(a,1),(b,2)]', 'a,', '', "'[1,2]'", '[1.0]', '-1', 'x=y', '{stage.out_dir}/a'],
)
def test_what_has_no_blanks_is_read_as_mmengine_does(text):
    got, expected = parse_value('model.key', text), MMEngineAction._parse_iterable(text)
    assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize(
    'key, text, value',
    [
        ('a', 'big red', 'big red'),
        ('a', '[big red, 2, [x y]]', ['big red', 2, ['x y']]),
        ('a', '"2024"', '2024'),
        ('a', "['2024', '1,5', b]", ['2024', '1,5', 'b']),
        ('a', "it's,b", ["it's", 'b']),
        ('data_root', '2024', '2024'),
        ('data_root', '/my photos/a, b [1]', '/my photos/a, b [1]'),
        ('stages.cam.options.test_cfg.cam_dir', '007', '007'),
        ('train_dataloader.dataset.mask_dir', 'None', None),
        ('labels.file', 'my labels.csv', 'my labels.csv'),
        ('metainfo.classes', 'traffic light,dog', ['traffic light', 'dog']),
        ('metainfo.classes', '007', ['007']),
        ('metainfo.classes', '1,2', ['1', '2']),
        ('metainfo.classes', '[a b,c]', ['a b', 'c']),
        ('metainfo.classes', '["big, red", "dog"]', ['big, red', 'dog']),
        ('metainfo.classes', '"big, red",dog', ['big, red', 'dog']),
        ('metainfo.classes', '(cat,)', ['cat']),
        ('metainfo.classes', "man's hat", ["man's hat"]),
        ('metainfo.mask_values', '8', [8]),
        ('metainfo.mask_values', '8,12', [8, 12]),
    ],
)
def test_blanks_and_names_stay(key, text, value):
    got = parse_value(key, text)
    assert got == value and repr(got) == repr(value)


@pytest.mark.parametrize('pair', ['a=[1', 'a=1]', 'a=(1', 'a', '=1', 'metainfo.classes=', 'metainfo.classes=a,,b'])
def test_wrong_pairs_end_with_one_line(parse, capsys, pair):
    with pytest.raises(SystemExit) as caught:
        parse('--cfg-options', pair)
    assert caught.value.code == 2 and f'--cfg-options {pair}: ' in capsys.readouterr().err.splitlines()[-1]


def test_flags_set_options(parse):
    assert parse() is None
    options = parse(
        '--data-root', 'my photos', '--classes', 'traffic light,dog', '--classes', '007', '--labels', 'coco'
    )
    assert options == {
        'data_root': 'my photos',
        'metainfo.classes': ['traffic light', 'dog', '007'],
        'labels': 'coco',
    }
    options = parse('--cfg-options', 'a=1', '--data-root', 'x', '--cfg-options', 'b=2')
    assert options == {'a': 1, 'data_root': 'x', 'b': 2}
    with pytest.raises(SystemExit):
        parse('--classes', 'a,,b')


def test_names_are_never_empty():
    with pytest.raises(InputError, match='a name of a class is empty'):
        split_names([''])
    assert split_names([' a , b ']) == ['a', 'b']


def test_it_is_an_action_of_argparse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='*', action=DictAction)
    assert parser.parse_args(['--options', 'a.b=c d']).options == {'a.b': 'c d'}
