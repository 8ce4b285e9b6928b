from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.datasets.data_root import DataRoot
from mmamr.pipeline.stage import Stage, out_dir_of, parse_stages, replace_names
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'


def test_stages_keep_their_order_but_follow_what_they_name():
    stages = parse_stages(
        dict(
            cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
            classifier=dict(kind='train', config='b.py', checkpoint='{baseline.checkpoint}'),
            left_out=None,
            label=dict(kind='test', config='/d.py', options={'a.b': ['{cam.out_dir}', '{label.work_dir}']}),
            baseline=dict(kind='train', config='../a.py'),
        ),
        '/x/y',
    )
    assert list(stages) == ['baseline', 'classifier', 'cam', 'label']
    assert [stage.config for stage in stages.values()] == ['/x/a.py', '/x/y/b.py', '/x/y/b.py', '/d.py']
    assert stages['label'].names() == [('cam', 'out_dir')]
    assert stages['cam'].dataloader == 'test_dataloader'


@pytest.mark.parametrize(
    ('stages', 'line'),
    [
        (dict(), 'the pipeline has no stages'),
        (dict(a=None), 'the pipeline has no stages'),
        (dict(a=dict(kind='train')), "stage a needs config='<file>' and kind='train' or kind='test'"),
        (dict(a=dict(kind='run', config='a.py')), "stage a needs config='<file>' and kind='train' or kind='test'"),
        (
            dict(a=dict(kind='train', config='a.py', lr=1)),
            'stage a: lr is none of kind, config, checkpoint and options; settings of its config belong into options',
        ),
        (
            dict(a=dict(kind='train', config='a.py', checkpoint='{b.checkpoint}')),
            'stage a names b, but there is no such stage; there are a',
        ),
        (
            dict(a=dict(kind='test', config='{b.config}'), b=dict(kind='test', config='{a.config}')),
            'stages a and b wait for each other',
        ),
        (
            dict(a=dict(kind='test', config='a.py'), b=dict(kind='test', config='a.py', checkpoint='{a.checkpoint}')),
            'stage b names {a.checkpoint}, but a trains nothing',
        ),
    ],
)
def test_stages_that_do_not_fit_together(stages, line):
    with pytest.raises(InputError) as error:
        parse_stages(stages, '.')
    assert str(error.value) == line


def test_options_change_the_config():
    options = {'test_cfg.scales': [2.0], 'test_cfg': {'flip': False}, 'test_dataloader.dataset.pipeline.0.type': 'Load'}
    stage = Stage('cam', 'test', str(CONFIGS / 'tiny_amr.py'), 'some.pth', options)
    cfg = stage.load_config({'randomness.seed': 4, 'not_there.seed': 4}, DataRoot('/data'))
    assert cfg.test_cfg == dict(type='CAMLoop', scales=[2.0], flip=False)
    assert cfg.test_dataloader.dataset.pipeline[0].type == 'Load'
    assert cfg.load_from == 'some.pth' and cfg.randomness.seed == 4 and 'not_there' not in cfg
    assert cfg.train_dataloader.dataset.data_root == cfg.test_dataloader.dataset.data_root == '/data'
    for options, line in (
        ({'test_dataloader.dataset.pipeline.7.type': 'Load'}, 'test_dataloader'),
        ({'default_scope.a': 1}, 'default_scope.a=1: this option does not fit'),
    ):
        with pytest.raises(InputError, match=f'^stage cam: {line}'):
            Stage('cam', 'test', str(CONFIGS / 'tiny_amr.py'), None, options).load_config({}, None)
    with pytest.raises(InputError, match=r'^stage cam needs a test_dataloader, but .*tiny_amr\.py has none$'):
        Stage('cam', 'test', str(CONFIGS / 'tiny_amr.py'), None, {'test_dataloader': None}).load_config({}, None)
    with pytest.raises(InputError, match=r'^stage cam: no config file none\.py$'):
        Stage('cam', 'test', 'none.py').load_config({}, None)


def test_names_are_replaced_everywhere():
    value = dict(a='{cam.out_dir}/x', b=[('{cam.out_dir}', 1)], c='{not a name}', d=None)
    replaced = replace_names(value, lambda stage, what: f'<{stage} {what}>')
    assert replaced == dict(a='<cam out_dir>/x', b=[('<cam out_dir>', 1)], c='{not a name}', d=None)


def test_out_dir():
    for loop, folder in (
        ('CAMLoop', 'w/cams'),
        ('mmamr.PseudoLabelLoop', 'w/SegmentationClassPseudo'),
        ('WalkLoop', 'w/walks'),
        ('AffinityLabelLoop', 'w/affinity_labels'),
        ('TestLoop', None),
    ):
        assert out_dir_of(Config(dict(test_cfg=dict(type=loop))), 'w') == folder
    assert out_dir_of(Config(dict(test_cfg=dict(type='CAMLoop', out_dir='mine'))), 'w') == 'mine'
    assert out_dir_of(Config(dict(test_cfg=dict())), 'w') is None
