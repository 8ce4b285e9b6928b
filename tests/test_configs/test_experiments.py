"""Every experiment config names runs, stages, splits and CAMs that there are."""

import argparse
import copy
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction

from mmamr.apis.experiments import ClassifierRun, Experiments
from mmamr.apis.experiments.experiments import parent_of
from mmamr.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / 'configs' / 'experiments').glob('*.py'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_experiment(path, tmp_path):
    cfg = Config.fromfile(path)
    assert cfg.title
    experiments = Experiments(cfg, str(path.parent), str(tmp_path), str(ROOT / 'tools'), seeds=[0, 1, 2])
    parents = {parent_of(settings) for settings in cfg.runs.values()} - {None}
    assert {row['run'] for row in cfg.rows} | parents == set(cfg.runs)
    assert len({row['name'] for row in cfg.rows}) == len(cfg.rows)
    for row in cfg.rows:
        run = experiments.runs[row['run'], 0]
        config = Config.fromfile(run.config)
        if isinstance(run, ClassifierRun):
            assert cfg.choose_on in cfg.splits
            assert row['cam'] == 'spotlight' or config.model.type == 'AMRClassifier'
            check_options(run, config)
        else:
            for stage, metric in row['metrics'].values():
                assert config.stages[stage] is not None and metric.endswith('mIoU')
                assert stage in (run.stages or config.stages)


def check_options(run, config):
    """The options of a run, as its command line gives them, fit its config, change it, and its model can be built."""
    words = [f'{key}={value}' for key, value in run.options.items()]
    options = argparse.ArgumentParser()
    options.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    changed = copy.deepcopy(config)
    changed.merge_from_dict(options.parse_args(['--cfg-options', *words]).cfg_options)
    if words:
        assert changed.to_dict() != config.to_dict()
        with MODELS.switch_scope_and_registry('mmamr') as registry:
            registry.build(changed.model)
