"""Every table names runs, stages, splits and CAMs that there are, on every data set that it is for."""

import argparse
import copy
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction
from torch import nn

from mmamr.experiments import ClassifierRun, Experiments, parent_of
from mmamr.pipeline.stage import parse_stages
from mmamr.registry import MODELS
from mmamr.utils import InputError

FOLDER = Path(__file__).parents[2] / 'configs' / 'experiments'
ONE_DATA_SET = {'photos': 'voc-animals'}
TABLES = sorted(path.stem for path in FOLDER.glob('*.py') if path.stem not in ONE_DATA_SET)
DATA = sorted(path.stem for path in (FOLDER / '_base_').glob('*.py'))
UNSUPPORTED = {
    # no pipelines with all refinements, or no configs of SEAM
    ('table1', 'embedded'),
    ('table1', 'voc07-mini'),
    ('table6', 'embedded'),
    ('table6', 'voc07-mini'),
    ('refinement', 'voc07-mini'),
    # the layers are those of one network
    ('tuning', 'embedded'),
}
SUPPORTED = [(table, data) for table in TABLES for data in DATA if (table, data) not in UNSUPPORTED]


@pytest.fixture(autouse=True)
def uninitialized_weights(monkeypatch):
    """Nothing depends on the numbers, and drawing them takes most of the time."""
    for layer in (nn.Conv2d, nn.Linear):
        monkeypatch.setattr(layer, 'reset_parameters', lambda self: None)


@pytest.fixture
def load(monkeypatch):
    def load(table, data):
        monkeypatch.setenv('MMAMR_DATA', data)
        return Config.fromfile(FOLDER / f'{table}.py')

    return load


def test_there_are_tables_and_data_sets():
    assert len(TABLES) == 14 and DATA == ['embedded', 'voc-animals', 'voc07-mini']


def test_the_variable_names_the_data_set(load, monkeypatch):
    assert load('table3', 'embedded').data == 'embedded'
    monkeypatch.delenv('MMAMR_DATA')
    assert Config.fromfile(FOLDER / 'table3.py').data == 'voc-animals'


@pytest.mark.parametrize('table, data', sorted(UNSUPPORTED))
def test_unsupported_tables_say_what_to_do(load, table, data):
    with pytest.raises(InputError) as info:
        load(table, data)
    assert data in str(info.value) and 'voc-animals' in str(info.value) and '\n' not in str(info.value)


@pytest.mark.parametrize('table, data', [*SUPPORTED, *ONE_DATA_SET.items()])
def test_experiment(load, table, data, tmp_path):
    cfg = load(table, data)
    assert data in cfg.title
    assert '_delete_' not in str(cfg.to_dict())
    experiments = Experiments(cfg, str(FOLDER), str(tmp_path), seeds=[0, 1, 2])
    parents = {parent_of(settings) for settings in cfg.runs.values()} - {None}
    assert {row['run'] for row in cfg.rows} | parents == set(cfg.runs)
    assert len({row['name'] for row in cfg.rows}) == len(cfg.rows)
    for row in cfg.rows:
        run = experiments.runs[row['run'], 0]
        config = Config.fromfile(run.config)
        changed = with_options(run, config)
        if isinstance(run, ClassifierRun):
            assert cfg.choose_on in cfg.splits
            assert row['cam'] == 'spotlight' or config.model.type == 'AMRClassifier'
            if run.options:
                with MODELS.switch_scope_and_registry('mmamr') as registry:
                    registry.build(changed.model)
        else:
            stages = parse_stages(changed.stages, str(Path(run.config).parent))
            assert all(Path(stage.config).is_file() for stage in stages.values())
            for stage, metric in row.get('metrics', {}).values():
                assert stage in (run.stages or stages) and metric.endswith('mIoU')
                assert stage in stages


def with_options(run, config):
    """The config with the options of a run, as its command line gives them; they change it."""
    words = [f'{key}={value}' for key, value in run.options.items()]
    options = argparse.ArgumentParser()
    options.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    changed = copy.deepcopy(config)
    changed.merge_from_dict(options.parse_args(['--cfg-options', *words]).cfg_options)
    assert not words or changed.to_dict() != config.to_dict()
    return changed


@pytest.mark.parametrize('data', DATA)
def test_tables_of_one_data_set_share_runs(load, data):
    """In one work folder a table finds what another one made: what has the same name is the same run."""
    runs = {}
    for table in TABLES:
        # pipelines have a work folder of their own, and tuning measures on other photos
        if (table, data) in UNSUPPORTED or table in ('table1', 'refinement', 'tuning'):
            continue
        for name, settings in load(table, data).runs.items():
            assert runs.setdefault(name, settings) == settings, (table, name)
    assert {'plain', 'amr', 'ensemble', 'without_amm'} <= set(runs)
