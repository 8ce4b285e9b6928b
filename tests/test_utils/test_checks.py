import numpy as np
import pytest
from mmengine.config import Config

from mmamr.utils import (
    SettingError,
    check_choice,
    check_config,
    check_flag,
    check_keys,
    check_number,
    check_numbers,
    check_training,
    merge_options,
)


@pytest.mark.parametrize('value', [0, 1, 0.5, np.float32(0.25), np.int64(1)])
def test_numbers_within_their_bounds(value):
    check_number('xi', value, 0, 1)


@pytest.mark.parametrize(
    'value, bounds, line',
    [
        (2, dict(low=0, high=1), 'xi must be in [0, 1], but got 2'),
        (0, dict(above=0, high=1), 'xi must be in (0, 1], but got 0'),
        (-1, dict(low=0), 'xi must be at least 0, but got -1'),
        (0, dict(above=0), 'xi must be larger than 0, but got 0'),
        (0, dict(low=1, whole=True), 'xi must be a whole number of at least 1, but got 0'),
        (2.0, dict(whole=True), 'xi must be a whole number, but got 2.0'),
        (float('nan'), {}, 'xi must be a finite number, but got nan'),
        (float('inf'), dict(low=0), 'xi must be at least 0, but got inf'),
        (True, dict(low=0), 'xi must be at least 0, but got True'),
        ('1', dict(low=0), "xi must be at least 0, but got '1'"),
        (None, {}, 'xi must be a finite number, but got None'),
        ([1], {}, 'xi must be a finite number, but got [1]'),
    ],
)
def test_numbers_outside(value, bounds, line):
    with pytest.raises(SettingError) as caught:
        check_number('xi', value, **bounds)
    assert str(caught.value) == line


@pytest.mark.parametrize('values', [[], 'ab', 3, None, {1: 2}, [0, 'a'], [2], [0.5, 0.1]])
def test_lists_of_numbers(values):
    check_numbers('scales', (0, 0.5, 0.5, 1), 0, 1, ascending=True)
    with pytest.raises(SettingError, match='scales'):
        check_numbers('scales', values, 0, 1, ascending=True)


def test_choices_flags_and_keys():
    check_choice('form', 'peak', ('peak', 'pdf'))
    check_flag('flip', False)
    check_keys('climb', dict(steps=1), ('steps', 'step_size'))
    for function, value in (
        (lambda value: check_choice('form', value, ('peak', 1)), 'peek'),
        (lambda value: check_choice('form', value, ('peak', 1)), True),
        (lambda value: check_choice('form', value, ('peak', 1)), ['peak']),
        (lambda value: check_flag('form', value), 'no'),
        (lambda value: check_flag('form', value), 1),
        (lambda value: check_keys('form', value, ('steps',)), dict(other=1)),
        (lambda value: check_keys('form', value, ('steps',)), [1]),
    ):
        with pytest.raises(SettingError, match=r'^form '):
            function(value)
    with pytest.raises(
        SettingError, match=r'^climb has no stepss \(did you mean steps\?\); it may have steps, step_size$'
    ):
        check_keys('climb', dict(stepss=1), ('steps', 'step_size'))


CONFIG = dict(
    model=dict(type='NoModel', loss=dict(weight=1.0)),
    train_dataloader=dict(batch_size=2, dataset=dict(type='A', pipeline=[dict(type='B')])),
    randomness=dict(seed=0),
    photos='data',
)


def test_options_that_are_read():
    cfg = Config(CONFIG)
    merge_options(cfg, {'model.other': 1, 'train_dataloader.dataset.pipeline.0.prob': 0.5, 'load_from': 'a.pth'})
    merge_options(cfg, {'test_cfg.a.b': 1, 'test_cfg': {'c': 2}, 'randomness.deterministic': True})
    assert cfg.model.other == 1 and cfg.train_dataloader.dataset.pipeline[0].prob == 0.5 and cfg.load_from == 'a.pth'
    assert cfg.test_cfg == dict(a=dict(b=1), c=2) and cfg.randomness == dict(seed=0, deterministic=True)


@pytest.mark.parametrize(
    'options, said',
    [
        ({'modle.type': 'A'}, r'^modle.type: a config has no setting modle \(did you mean model\?\)$'),
        ({'nothing': 1}, '^nothing: a config has no setting nothing$'),
        ({'photos': 'other'}, '^photos: photos is a variable of the config'),
        ({'randomness.sed': 1}, r'^randomness.sed: there is no sed \(did you mean seed\?\)$'),
        ({'train_dataloader.dataset.pipeline.3.prob': 1}, 'does not fit the config: Index 3 exceeds'),
        ({'model.loss.weight': float('nan')}, '^model.loss.weight is nan'),
        ({'train_dataloader.batch_size': -1}, '^train_dataloader.batch_size must be'),
        ({'train_dataloader': 3}, '^train_dataloader must be a dict|does not fit'),
    ],
)
def test_options_that_are_not(options, said):
    with pytest.raises(SettingError, match=said) as caught:
        merge_options(Config(CONFIG), options)
    assert '\n' not in str(caught.value)


def test_options_of_a_pipeline():
    cfg = Config(dict(stages=dict(cam=dict(kind='test', config='a.py')), work_dir='work'))
    merge_options(cfg, {'stages.cam.options.test_cfg.flip': False, 'data_root': 'a', 'options.randomness.seed': 1})
    for option in ('optionss.randomness.seed', 'model.type', 'stages.cam.confg'):
        with pytest.raises(SettingError, match=f'^{option}: '):
            merge_options(cfg, {option: 1})


def test_a_setting_of_a_file_that_is_misspelt():
    with pytest.raises(
        SettingError, match=r'the config: no setting is called train_dataloder; did you mean train_dataload'
    ):
        check_config(Config(dict(train_dataloder=dict())))
    check_config(Config(dict(train_pipeline=[], models_of_others=3)))


@pytest.mark.parametrize('lr', [-1, float('inf'), 'high', None])
def test_numbers_of_an_optimizer(lr):
    cfg = Config(
        dict(optim_wrapper=dict(optimizer=dict(lr=lr), paramwise_cfg=dict(custom_keys=dict(a=dict(lr_mult=1)))))
    )
    if lr is None:
        check_training(cfg)
        return
    with pytest.raises(SettingError, match=r'^optim_wrapper\.optimizer\.lr must be at least 0'):
        check_training(cfg)
