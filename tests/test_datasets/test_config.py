import pytest

from mmamr.datasets import init_dataset, load_config
from mmamr.utils import InputError


def test_options_change_a_copy(tiny_config):
    cfg = tiny_config('tiny_amr')
    changed = load_config(cfg, {'test_cfg.scales': (0.5,)})
    assert changed.test_cfg.scales == (0.5,) and cfg.test_cfg.scales == (1.0, 0.5)


def test_a_missing_config_is_one_line():
    with pytest.raises(FileNotFoundError, match=r'^no config nowhere.py: [^\n]*$'):
        load_config('nowhere.py')


def test_configs_of_installed_packages(tmp_path, monkeypatch):
    """``mmamr::`` names a file below the configs that are shipped in the package."""
    from mmengine.config import config

    (tmp_path / '.mim' / 'configs' / 'amr').mkdir(parents=True)
    (tmp_path / '.mim' / 'configs' / 'amr' / 'some.py').write_text("model = dict(type='NoModel')\n")
    (tmp_path / '.mim' / 'model-index.yml').write_text('Import: []\n')
    monkeypatch.setattr(config, 'get_installed_path', lambda package: str(tmp_path))
    assert load_config('mmamr::amr/some.py').model.type == 'NoModel'


def test_init_dataset_has_no_pipeline(tiny_config):
    dataset = init_dataset(tiny_config('tiny_amr'), {'test_dataloader.dataset.split': 'ImageSets/Segmentation/val.txt'})
    assert len(dataset) == 4 and 'img' not in dataset[0]


def test_configs_without_images_are_refused(tiny_config):
    cfg = tiny_config('tiny_amr')
    cfg.test_dataloader.dataset = dict(type='mmseg.BaseSegDataset', lazy_init=True, metainfo=dict(classes=('disc',)))
    with pytest.raises(InputError, match=r'^[^\n]*measures a BaseSegDataset[^\n]*$'):
        init_dataset(cfg)
    cfg.test_dataloader = None
    with pytest.raises(InputError, match=r'^[^\n]* has no test_dataloader[^\n]*$'):
        init_dataset(cfg)
