"""Settings that no run can have end a tool with one line that names them, before anything is written."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmamr.registry import MODELS

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
TRAIN = [
    ('train_cfg.max_epochs=0', 'train_cfg.max_epochs must be a whole number of at least 1, but got 0'),
    ('train_cfg.val_interval=0', 'train_cfg.val_interval must be'),
    ('optim_wrapper.optimizer.lr=nan', 'optim_wrapper.optimizer.lr is nan, which is no number'),
    ('optim_wrapper.optimizer.lr=-1', 'optim_wrapper.optimizer.lr must be at least 0, but got -1'),
    ('optim_wrapper.optimizer.lr=high', "optim_wrapper.optimizer.lr must be at least 0, but got 'high'"),
    ('optim_wrapper.accumulative_counts=0', 'optim_wrapper.accumulative_counts must be'),
    ('train_dataloader.batch_size=0', 'train_dataloader.batch_size must be a whole number of at least 1, but got 0'),
    ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers must be'),
    ('train_dataloader.batch_siz=4', 'there is no batch_siz .did you mean batch_size'),
    ('modle.type=CAMClassifier', 'a config has no setting modle .did you mean model'),
    ('branch.head.num_classes=4', 'branch is a variable of .*tiny_amr.py'),
    ('model.loss_cps.loss_weight=-1', 'CrossPseudoSupervisionLoss: loss_weight must be at least 0, but got -1'),
    ('model.spotligth.head.num_classes=3', "unexpected keyword argument 'spotligth'"),
    ('model.spotlight.head.num_classes=0', 'CAMHead: num_classes must be'),
    ('randomness.sead=1', 'there is no sead|sead'),
    ('train_dataloader.dataset.pipeline.9.prob=1', 'does not fit the config'),
]
TEST = [
    ('tiny_amr.py', 'test_cfg.scales=[]', 'CAMLoop: scales must be some numbers in a list'),
    ('tiny_amr.py', 'test_cfg.scales=[0.5,-1]', 'CAMLoop: each of scales must be in .0, 16.'),
    ('tiny_amr.py', 'test_cfg.flip=no', "CAMLoop: flip must be True or False, but got 'no'"),
    ('tiny_amr.py', 'test_cfg.precision=float8', 'CAMLoop: precision must be one of'),
    ('tiny_amr.py', 'test_cfg.climb.stepss=3', 'CAMLoop: climb has no stepss .did you mean steps'),
    ('tiny_amr.py', 'test_cfg.climb.steps=0', 'CAMLoop: steps of climbing must be'),
    ('tiny_amr.py', 'test_evaluator.threshold=-1', 'CAMMetric: threshold must be at least 0, but got -1'),
    ('tiny_amr.py', 'test_evaluator.xis=[2.]', 'CAMMetric: each of xis must be in .0, 1.'),
    ('tiny_amr.py', 'test_evaluator.thresholds=[0.5,0.2]', 'CAMMetric: thresholds must ascend'),
    ('tiny_amr.py', 'test_dataloader.batch_sampler.batch_size=0', 'test_dataloader.batch_sampler.batch_size must be'),
    ('tiny_pseudo-label.py', 'test_cfg.xi=1.5', r'PseudoLabelLoop: xi must be in \[0, 1\], but got 1.5'),
    ('tiny_pseudo-label.py', 'test_cfg.threshold=high', r'PseudoLabelLoop: threshold must be in \[0, 1\]'),
    ('tiny_pseudo-label.py', 'test_cfg.unsure=[0.4,0.2]', 'PseudoLabelLoop: unsure must ascend'),
    ('tiny_pseudo-label.py', 'test_cfg.power=0', 'PseudoLabelLoop: power must be larger than 0'),
    ('tiny_pseudo-label.py', 'test_cfg.crf.iterations=-1', 'PseudoLabelLoop: crf.iterations must be'),
    ('tiny_affinity-label.py', 'test_cfg.bg_threshold=0.9', 'AffinityLabelLoop: bg_threshold must not be larger than'),
    ('tiny_affinity-label.py', 'test_cfg.crf.iteration=1', 'there is no iteration .did you mean iterations'),
    ('tiny_affinity-label.py', 'test_cfg.method=magic', 'AffinityLabelLoop: method must be one of'),
    ('tiny_irnet.py', 'test_cfg.cam_power=0', 'WalkLoop: cam_power must be larger than 0'),
    ('tiny_irnet.py', 'test_cfg.powers=[2,2]', 'WalkLoop: powers must differ'),
    ('tiny_irnet.py', 'model.walk_cfg.radius=0', r'IRNet: walk_cfg.radius must be a whole number in \[1, 64\]'),
    ('tiny_irnet.py', 'model.walk_cfg.beta=-2', 'IRNet: walk_cfg.beta must be larger than 0, but got -2'),
    ('tiny_irnet.py', 'model.edge_head.loss_affinity.radius=1', 'PathAffinityLoss: radius must be'),
]


def refused(main, argv, capsys):
    """The one line with which a tool ends."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in argv])
    line = caught.value.code
    assert isinstance(line, str) and '\n' not in line, line
    assert 'Traceback' not in capsys.readouterr().err
    return line


@pytest.fixture
def quick(tiny_voc, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    # making the printed config pretty takes longer than all the rest
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, *args, **kwargs: (text, True))


def test_trainings(quick, load_tool, tmp_path, capsys):
    main = load_tool('train.py').main
    for option, said in TRAIN:
        line = refused(
            main, [CONFIGS / 'tiny_amr.py', '--work-dir', tmp_path / 'work', '--cfg-options', option], capsys
        )
        assert re.search(said, line), (option, line)
    assert not list(tmp_path.rglob('*.pth'))


@pytest.fixture
def checkpoints(tmp_path):
    """Weights for the configs that need some."""
    paths = {}
    for name in ('tiny_amr.py', 'tiny_irnet.py'):
        paths[name] = tmp_path / f'{name}.pth'
        torch.save(dict(state_dict=MODELS.build(Config.fromfile(CONFIGS / name).model).state_dict()), paths[name])
    return paths


def test_tests(quick, load_tool, checkpoints, write_cams, tmp_path, capsys):
    main, cams = load_tool('test.py').main, write_cams()
    for name, option, said in TEST:
        argv = [CONFIGS / name, *([checkpoints[name]] if name in checkpoints else []), '--work-dir', tmp_path / 'work']
        options = [option] if name == 'tiny_amr.py' else [f'test_cfg.cam_dir={cams}', option]
        line = refused(main, [*argv, '--cfg-options', *options], capsys)
        assert re.search(said, line), (option, line)
    assert not list((tmp_path / 'work').glob('*/*.npz')) and not list((tmp_path / 'work').glob('*/*.png'))
