import math

import pytest
import torch
from mmengine.config import Config

from mmamr.utils import InputError, check_types, config_of_checkpoint, parse_config

SETTINGS = dict(
    numbers=[1, -2, 0.5, -1e-3, float('inf'), -float('inf')],
    nothing=None,
    tuples=((), (1,), ('a', (True, False))),
    names={'not a name': 1, 'a.b': dict(c='it\'s "quoted"\n')},
    deep=[dict(type='A', items=[dict(type='B')])],
)


def test_a_config_as_text_comes_back_as_it_was():
    assert parse_config(Config(SETTINGS).pretty_text) == SETTINGS
    assert math.isnan(parse_config('a = nan')['a'])


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'a = print(1)',
        'a = dict(1)',
        'a = dict(**{"b": 1})',
        'a = {**{}}',
        'a = b',
        'a.b = 1',
        'a = b = 1',
        'a = [x for x in (1, 2)]',
        'a = 1 + 1',
        'a = f"{1}"',
        'a = -"x"',
        'print(1)',
        'a = (',
    ],
)
def test_code_is_refused_and_not_run(text, capsys):
    with pytest.raises(InputError, match=r'^here [^\n]*--config$'):
        parse_config(text, 'here')
    assert capsys.readouterr().out == ''


def test_the_config_of_a_training_is_in_its_checkpoint(trained):
    for checkpoint, name in ((trained.segmentation, 'tiny_segmentation'), (trained.classifier, 'tiny_amr')):
        dumped = Config.fromfile(checkpoint.replace('last.pth', f'{name}.py'))
        assert config_of_checkpoint(checkpoint).to_dict() == dumped.to_dict()


def test_checkpoints_without_a_config(tmp_path):
    torch.save(dict(weight=torch.zeros(1)), tmp_path / 'weights.pth')
    assert config_of_checkpoint(tmp_path / 'weights.pth') is None
    torch.save(dict(weight=torch.zeros(1)), tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert config_of_checkpoint(tmp_path / 'old.pth') is None
    (tmp_path / 'broken.pth').write_bytes(b'PK broken')
    with pytest.raises(InputError, match=r'^[^\n]*broken.pth is no checkpoint[^\n]*$'):
        config_of_checkpoint(tmp_path / 'broken.pth')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        config_of_checkpoint(tmp_path / 'nowhere.pth')


@pytest.mark.parametrize(
    'settings',
    [
        dict(type='os.system'),
        dict(backbone=[dict(type='subprocess.Popen')]),
        dict(type='mmengine.utils.path.os.system'),
        dict(type=print),
        dict(type='A', _scope_='os.path'),
        [dict(type='A', transforms=[[dict(type='builtins.eval')]])],
    ],
)
def test_types_that_no_registry_holds_are_refused(settings):
    with pytest.raises(InputError, match='in no registry'):
        check_types(settings, 'here')


def test_types_of_the_registries_pass():
    check_types(dict(type='EncoderDecoder', backbone=dict(type='mmpretrain.ResNet'), norm=[dict(type='BN')]), 'here')
