import copy

import pytest
from mmengine.config import Config

from mmamr.pipeline.settings import DICTS, READ, changed_settings, leaves, read_settings, settings_of, write_settings
from mmamr.utils.settings import SETTINGS


def test_leaves():
    assert list(leaves({})) == [('', {})]
    assert dict(leaves(dict(a=[1, dict(b=())], c='x'))) == {'a.0': 1, 'a.1.b': (), 'c': 'x'}


@pytest.fixture
def cfg():
    return Config(
        dict(
            my_variable=1,
            work_dir='here',
            resume=True,
            log_level='INFO',
            load_from='{classifier.checkpoint}',
            model=dict(type='Net', head=dict(init_cfg=dict(checkpoint='weights.pth'))),
            optim_wrapper=dict(lr=0.1),
            test_cfg=dict(type='CAMLoop', scales=(1.0, 0.5), redo=True),
            test_dataloader=dict(dataset=dict(pipeline=[dict(type='Resize', scale=(4, 4))])),
        )
    )


def test_a_stage_has_the_settings_that_it_reads(cfg):
    trains, tests = settings_of(cfg, 'train'), settings_of(cfg, 'test')
    assert trains == {
        'load_from': "'{classifier.checkpoint}'",
        'model.type': "'Net'",
        'model.head.init_cfg.checkpoint': "'weights.pth'",
        'optim_wrapper.lr': '0.1',
    }
    assert {key for key in tests if not key.startswith('test_dataloader')} == {
        'load_from',
        'model.type',
        'test_cfg.type',
        'test_cfg.scales.0',
        'test_cfg.scales.1',
    }


def test_a_default_that_a_checkpoint_overrides_is_no_setting(cfg):
    other = copy.deepcopy(cfg)
    other.model.head.init_cfg.checkpoint = 'from/the/environment.pth'
    assert settings_of(cfg, 'test') == settings_of(other, 'test')
    assert settings_of(cfg, 'train') != settings_of(other, 'train')
    cfg.load_from = other.load_from = None
    assert settings_of(cfg, 'test') != settings_of(other, 'test')


def test_workers_are_no_setting_of_a_test(cfg):
    other = copy.deepcopy(cfg)
    other.test_dataloader.num_workers = 3
    assert settings_of(cfg, 'test') == settings_of(other, 'test')


def test_they_are_kept_as_data(cfg, tmp_path):
    path = str(tmp_path / 'settings.json')
    write_settings(path, cfg)
    kept = read_settings(path)
    # mmcv tells a tuple from a list
    assert kept.test_dataloader.dataset.pipeline[0].scale == (4, 4) and kept.test_cfg.scales == (1.0, 0.5)
    assert settings_of(kept, 'test') == settings_of(cfg, 'test') and 'my_variable' not in kept
    for broken in ('{', '[]', ''):
        (tmp_path / 'settings.json').write_text(broken)
        assert read_settings(path) is None
    assert read_settings(str(tmp_path / 'none.json')) is None


def test_changes_in_a_few_words():
    old, new = {'a': '1', 'b': '2', 'c': '3', 'd': '4'}, {'a': '1', 'b': '0', 'e': '5'}
    assert changed_settings(old, new) == 'b 2 -> 0, c 3 -> (none), d 4 -> (none) and 1 more'
    assert changed_settings(old, old) == ''


def test_paths_in_the_work_folder_move_with_it(tmp_path):
    """Kept as ``{work_dir}/…``; what only begins with the same letters, or lies elsewhere, stays as it is."""

    def config(work):
        dataset = dict(data_root=f'{work}/photos', split='train.txt', other=[f'{work}-2/a', '/data/b'])
        return Config(dict(test_dataloader=dict(dataset=dataset), load_from=f'{work}'))

    old, new = tmp_path / 'old', tmp_path / 'new'
    kept = settings_of(config(old), 'test', str(old))
    assert kept['test_dataloader.dataset.data_root'] == "'{work_dir}/photos'" and kept['load_from'] == "'{work_dir}'"
    assert kept['test_dataloader.dataset.other.0'] == repr(f'{old}-2/a')
    dataset = config(new).test_dataloader.dataset
    assert dataset.data_root == str(new / 'photos')
    moved = config(new)
    moved.test_dataloader.dataset.other[0] = f'{old}-2/a'
    assert settings_of(moved, 'test', str(new)) == kept
    (old / 'cam').mkdir(parents=True)
    write_settings(str(old / 'cam' / 'stage_settings.json'), config(old))
    (tmp_path / 'old').rename(new)
    read = read_settings(str(new / 'cam' / 'stage_settings.json'))
    assert read.test_dataloader.dataset.data_root == str(new / 'photos') and read.load_from == str(new)


def test_what_a_stage_reads_is_a_setting():
    """One list says what a setting is; here stands which of them change what a stage makes."""
    assert {*READ['train'], *READ['test'], *DICTS} <= SETTINGS
