"""tools/train.py as a user runs it: resumed, in mixed precision, in two processes, with every switch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

TOOLS = Path(__file__).parents[2] / 'tools'
CONFIG = Path(__file__).parents[1] / 'data' / 'configs' / 'tiny_amr.py'


@pytest.fixture
def train(load_tool, tiny_voc, tmp_path, monkeypatch):
    """Run the tool in this process: ``train('work', '--resume', options={'a.b': 1})``; gives the last checkpoint."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    runs = []

    def run(work_dir, *argv, options=None):
        runs.append(work_dir)
        options = {'experiment_name': f'{tmp_path.name}_{len(runs)}', 'log_level': 'WARNING', **(options or {})}
        load_tool('train.py').main(
            [
                str(CONFIG),
                '--work-dir',
                str(tmp_path / work_dir),
                *argv,
                '--cfg-options',
                *(f'{key}={value}' for key, value in options.items()),
            ]
        )
        path = (tmp_path / work_dir / 'last_checkpoint').read_text()
        return torch.load(path, weights_only=True, map_location='cpu')

    return run


def weights(checkpoint):
    return torch.cat([value.double().flatten() for value in checkpoint['state_dict'].values()])


@pytest.fixture
def merge(load_tool):
    """The config after the command line."""

    def run(*argv, config=CONFIG):
        tool = load_tool('train.py')
        args = tool.parse_args([str(config), *argv])
        return tool.merge_args(Config.fromfile(config), args)

    return run


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        pytest.param({'train_dataloader.num_workers': 2}, marks=pytest.mark.slow),
        pytest.param(
            {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}, marks=pytest.mark.slow
        ),
    ],
)
def test_a_resumed_run_ends_where_an_undisturbed_one_does(train, tmp_path, options):
    whole = train('whole', options=options)
    assert whole['meta']['epoch'] == 2
    train('halves', options={**options, 'train_cfg.max_epochs': 1})
    # the weights that the config starts from are not loaded over those that are resumed
    resumed = train('halves', '--resume', options={**options, 'load_from': tmp_path / 'none.pth'})
    assert resumed['meta'] | {'time': 0} == whole['meta'] | {
        'time': 0,
        'experiment_name': resumed['meta']['experiment_name'],
        'cfg': resumed['meta']['cfg'],
        # with the commit that is checked out, which may be another by now
        'mmengine_version': resumed['meta']['mmengine_version'],
    }
    torch.testing.assert_close(weights(resumed), weights(whole), rtol=0, atol=0)
    named = train('named', '--resume', str(tmp_path / 'halves' / 'epoch_1.pth'), options=options)
    torch.testing.assert_close(weights(named), weights(whole), rtol=0, atol=0)


def test_first_start_with_resume_loads_the_weights_of_the_config(merge, tmp_path):
    argv = ['--work-dir', str(tmp_path), '--resume', '--cfg-options', 'load_from=first.pth']
    cfg = merge(*argv)
    assert (cfg.resume, cfg.load_from) == (False, 'first.pth')
    latest = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=dict(), meta=dict(epoch=1, iter=2)), latest)
    (tmp_path / 'last_checkpoint').write_text(str(latest))
    cfg = merge(*argv)
    assert (cfg.resume, cfg.load_from) == (True, str(latest))
    cfg = merge('--resume', 'this.pth')
    assert (cfg.resume, cfg.load_from) == (True, 'this.pth')


def test_amp_trains_in_bfloat16(train, merge, monkeypatch):
    seen = set()
    convolve = torch.nn.Conv2d.forward

    def forward(self, x):
        out = convolve(self, x)
        seen.add(out.dtype)
        return out

    monkeypatch.setattr(torch.nn.Conv2d, 'forward', forward)
    mixed = train('mixed', '--amp', options={'train_cfg.max_epochs': 1})
    assert torch.bfloat16 in seen
    assert torch.isfinite(weights(mixed)).all()
    assert {value.dtype for value in mixed['state_dict'].values()} <= {torch.float32, torch.long}
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = merge('--amp')
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper' and cfg.optim_wrapper.loss_scale == 'dynamic'


def test_gradient_accumulation_is_a_larger_batch(train):
    options = {'train_cfg.max_epochs': 1, 'train_dataloader.sampler.shuffle': False}
    options['train_dataloader.dataset.pipeline.2.prob'] = 0.0
    large = train('large', options={**options, 'train_dataloader.batch_size': 8, 'param_scheduler': 'None'})
    small = train(
        'small',
        options={
            **options,
            'train_dataloader.batch_size': 2,
            'optim_wrapper.accumulative_counts': 4,
            'param_scheduler': 'None',
        },
    )
    torch.testing.assert_close(weights(small), weights(large), rtol=1e-4, atol=1e-6)


def test_switches(merge, tmp_path):
    cfg = merge('--cfg-options', 'model.loss_cps.loss_weight=0.5', 'test_cfg.scales=[1.0]')
    assert cfg.model.loss_cps.loss_weight == 0.5 and cfg.test_cfg.scales == [1.0]
    assert cfg.work_dir == './work_dirs/tiny_amr' and cfg.launcher == 'none'
    assert merge('--work-dir', 'there').work_dir == 'there'
    cfg = merge('--no-pin-memory', '--no-persistent-workers', '--no-validate')
    assert cfg.train_dataloader.pin_memory is False and cfg.train_dataloader.persistent_workers is False
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None


def test_auto_scale_lr(train, merge, tmp_path):
    checkpoint = train('scaled', '--auto-scale-lr', options={'train_cfg.max_epochs': 1, 'param_scheduler': 'None'})
    assert checkpoint['optimizer']['param_groups'][0]['lr'] == pytest.approx(0.01 * 4 / 16)
    config = tmp_path / 'unscaled.py'
    config.write_text("model = dict(type='CAMClassifier')\n")
    with pytest.raises(SystemExit, match=r'has no auto_scale_lr\.base_batch_size'):
        merge('--auto-scale-lr', config=config)


def test_bad_data_ends_with_one_line(train, tiny_voc):
    (tiny_voc / 'Annotations' / 'img_02.xml').unlink()
    with pytest.raises(SystemExit) as caught:
        train('work')
    assert str(caught.value).startswith(f'{tiny_voc}/Annotations/img_02.xml') and '\n' not in str(caught.value)


def test_two_processes_train_and_resume(run_tool, tiny_voc, tmp_path, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))

    def run(*argv):
        ended = run_tool(
            'train.py',
            CONFIG,
            '--work-dir',
            tmp_path / 'work',
            '--launcher',
            'pytorch',
            *argv,
            '--cfg-options',
            'train_dataloader.batch_size=2',
            'train_dataloader.dataset.pipeline.2.prob=0.',
            processes=2,
        )
        assert ended.code == 0, ended.output
        return torch.load((tmp_path / 'work' / 'last_checkpoint').read_text(), weights_only=True)

    # 8 photographs: two processes make two steps of 2 x 2 an epoch
    first = run('--no-validate')
    assert (first['meta']['epoch'], first['meta']['iter']) == (2, 4)
    (tmp_path / 'work' / 'epoch_2.pth').unlink()
    resumed = run('--resume')
    assert (resumed['meta']['epoch'], resumed['meta']['iter']) == (2, 4)
    torch.testing.assert_close(weights(resumed), weights(first), rtol=0, atol=0)


@pytest.mark.slow
def test_spawned_workers_load_the_same(tiny_voc, tmp_path):
    """As on Windows, where nothing is forked; each run is a program of its own, since a start method is global."""
    trained = {}
    for method in ('fork', 'spawn'):
        ended = subprocess.run(
            [
                *(sys.executable, TOOLS / 'train.py', CONFIG),
                *('--work-dir', tmp_path / method, '--cfg-options'),
                *('train_dataloader.num_workers=1', f'env_cfg.mp_cfg.mp_start_method={method}'),
            ],
            env={**os.environ, 'MMAMR_TINY_VOC': str(tiny_voc), 'OMP_NUM_THREADS': '1'},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr
        trained[method] = torch.load((tmp_path / method / 'last_checkpoint').read_text(), weights_only=True)
    torch.testing.assert_close(weights(trained['spawn']), weights(trained['fork']), rtol=0, atol=0)


SHARED = [
    'model.shared_layers=conv1,bn1,layer1',
    'model.spotlight.backbone.frozen_stages=1',
    'model.compensation.backbone.frozen_stages=1',
]


@pytest.mark.parametrize('shared', [[], SHARED], ids=['two branches', 'shared layers'])
def test_two_processes_make_the_step_of_one(run_tool, tiny_voc, tmp_path, monkeypatch, shared):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    options = [
        *shared,
        'train_cfg.max_epochs=1',
        'train_dataloader.sampler.shuffle=False',
        'train_dataloader.dataset.pipeline.2.prob=0.',
    ]
    both = run_tool(
        'train.py',
        CONFIG,
        '--work-dir',
        tmp_path / 'both',
        '--launcher',
        'pytorch',
        '--cfg-options',
        *options,
        'train_dataloader.batch_size=4',
        processes=2,
    )
    alone = run_tool(
        'train.py', CONFIG, '--work-dir', tmp_path / 'alone', '--cfg-options', *options, 'train_dataloader.batch_size=8'
    )
    assert (both.code, alone.code) == (0, 0), both.output + alone.output
    both, alone = (torch.load(tmp_path / name / 'epoch_1.pth', weights_only=True) for name in ('both', 'alone'))
    torch.testing.assert_close(weights(both), weights(alone), rtol=1e-5, atol=1e-6)


@pytest.fixture
def dist(tiny_voc, tmp_path, free_port):
    """Run a script of tools/ as a user types it, in two processes on one CPU."""
    env = {**os.environ, 'MMAMR_TINY_VOC': str(tiny_voc), 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable}

    def run(script, *args):
        env['PORT'] = str(free_port())
        ended = subprocess.run(
            ['bash', TOOLS / script, *map(str, args), '--work-dir', tmp_path / 'work'],
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr

    return run


@pytest.mark.slow
def test_dist_train_then_test(dist, tmp_path):
    dist('dist_train.sh', CONFIG, 2)
    checkpoint = torch.load(tmp_path / 'work' / 'epoch_2.pth', weights_only=True)
    # 8 photographs: two processes make one step of 2 x 4 an epoch
    assert (checkpoint['meta']['epoch'], checkpoint['meta']['iter']) == (2, 2)
    dist('dist_test.sh', CONFIG, tmp_path / 'work' / 'epoch_2.pth', 2)
    assert len(list((tmp_path / 'work' / 'cams').glob('*.npz'))) == 12


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh', 'dist_train.sh', 'dist_test.sh'])
def test_shell_scripts_pass_their_arguments(script, tmp_path):
    """With a stand-in for srun and python that prints what it is given."""
    fake = tmp_path / 'srun'
    fake.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    env = {**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'PYTHON': str(fake), 'GPUS': '4'}
    positional = {
        'slurm_train.sh': ['part', 'job', 'a config.py', 'work dir'],
        'slurm_test.sh': ['part', 'job', 'a config.py', ''],
        'dist_train.sh': ['a config.py', '3'],
        'dist_test.sh': ['a config.py', 'a b.pth', '3'],
    }[script]
    out = subprocess.run(
        ['bash', TOOLS / script, *positional, '--amp', 'x y'], env=env, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tool = script.split('_')[1].replace('.sh', '.py')
    at = next(i for i, line in enumerate(out) if line.endswith(f'/{tool}'))
    assert out[at + 1] == 'a config.py' and out[-2:] == ['--amp', 'x y']
    rest = {
        'slurm_train.sh': ['--work-dir=work dir', '--launcher=slurm'],
        'slurm_test.sh': ['--launcher=slurm'],
        'dist_train.sh': ['--launcher', 'pytorch'],
        'dist_test.sh': ['a b.pth', '--launcher', 'pytorch'],
    }[script]
    assert out[at + 2 : -2] == rest
    assert ('--ntasks=4' if 'slurm' in script else '--nproc_per_node=3') in out


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help(load_tool, capsys, tool):
    with pytest.raises(SystemExit) as caught:
        load_tool(tool).main(['--help'])
    assert caught.value.code == 0
    assert '--cfg-options' in capsys.readouterr().out
