import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from mmseg.visualization import SegLocalVisualizer

from mmamr.cams import mix, seed, upsample
from mmamr.engine.loops import CAMLoop
from mmamr.fileio import CAMFolder, read_cam, read_mask
from mmamr.pipeline import StageError, WSSSRunner
from mmamr.pipeline.fingerprints import checkpoint_fingerprint, folder_fingerprint
from mmamr.registry import RUNNERS, TRANSFORMS
from mmamr.structures import ClassIndex
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
STAGES = ['classifier', 'cam', 'affinity_label', 'affinity', 'walk', 'pseudo_label', 'segmentation', 'evaluation']
FOLDERS = ('cam/cams', 'affinity_label/affinity_labels', 'walk/walks', 'pseudo_label/SegmentationClassPseudo')


def manifest(work_dir):
    return json.loads((work_dir / 'manifest.json').read_text())['stages']


def actions(runner):
    return {decision.stage: decision.action for decision in runner.plan()}


def reasons(runner):
    return {decision.stage: decision.reason for decision in runner.plan()}


def contents(work_dir):
    return {folder: folder_fingerprint(str(work_dir / folder))['hash'] for folder in FOLDERS}


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob('*')}


def test_it_is_built_by_its_name(pipeline, tmp_path):
    stages = dict(only=dict(kind='train', config=str(CONFIGS / 'tiny_amr.py')))
    for registry, name in (
        (RUNNERS, 'WSSSRunner'),
        (RUNNERS, 'mmamr.WSSSRunner'),
        (MMENGINE_RUNNERS, 'mmamr.WSSSRunner'),
    ):
        runner = registry.build(Config(dict(runner_type=name, work_dir=str(tmp_path), stages=stages)))
        assert isinstance(runner, WSSSRunner) and list(runner.stages) == ['only']
    with pytest.raises(InputError, match='needs stages and work_dir'):
        WSSSRunner.from_cfg(Config(dict(stages=dict(a=dict(kind='train', config='a.py')))))


def test_the_manifest_records_every_stage(finished):
    records = manifest(finished)
    assert list(records) == STAGES
    for record in records.values():
        assert record['state'] == 'done' and record['error'] is None and record['attempts'] == 1
        assert record['seed'] == 0 and record['processes'] == 1
        assert record['seconds'] > 0 and record['peak_memory_mib']['cpu'] >= record['held_memory_mib']['cpu'] > 0
        assert len(record['config_hash']) == 64
        assert record['versions']['torch'] == torch.__version__.partition('+')[0]
        assert all(len(value['hash']) == 64 for value in {**record['inputs'], **record['outputs']}.values())
    assert records['cam']['inputs']['classifier.checkpoint']['path'] == str(finished / 'classifier' / 'epoch_2.pth')
    assert records['cam']['inputs']['images']['count'] == records['cam']['outputs']['out_dir']['count'] == 12
    assert records['affinity_label']['inputs']['cam.out_dir'] == records['cam']['outputs']['out_dir']
    assert records['evaluation']['outputs'] == {}
    assert 0 <= records['evaluation']['metrics']['mIoU'] == records['segmentation']['metrics']['mIoU'] <= 100
    assert 'CAM/weighted.best_mIoU' in records['cam']['metrics']


def test_a_finished_pipeline_is_skipped_wherever_it_lies(pipeline, done):
    before = tree(done)
    metrics = pipeline(done).train()
    assert metrics == {name: record['metrics'] for name, record in manifest(done).items()}
    assert set(actions(pipeline(done)).values()) == {'skip'}
    after = tree(done)
    rewritten = {done, *(done / name for name in ('pipeline.log', 'report.html', '.lock'))}
    assert {path for path in after if after[path] != before.get(path)} <= rewritten
    log = (done / 'pipeline.log').read_text()
    assert 'cam: skip, it is done, with the same config and inputs' in log


def test_the_plan_of_a_first_run_writes_nothing(pipeline, tmp_path):
    runner = pipeline(tmp_path / 'work')
    text = runner.describe_plan()
    assert not (tmp_path / 'work').exists()
    assert [line.partition(':')[0] for line in text.splitlines() if not line.startswith(' ')] == STAGES
    for line in (
        'classifier: run, it was not run before (train)',
        'cam: run, classifier will run before it (test)',
        'reads  cam.out_dir: not yet, cam makes it',
        'work/pseudo_label/SegmentationClassPseudo, not there',
        'work/segmentation/iter_6.pth, not there',
    ):
        assert line in text


def test_the_plan_says_what_is_there_and_what_is_missing(pipeline, done, monkeypatch):
    text = pipeline(done).describe_plan()
    for line in ('classifier.checkpoint: ', 'epoch_2.pth is there', '12 files are there', '8 items', '160 tensors'):
        assert line in text
    monkeypatch.setenv('MMAMR_TINY_VOC', '/nowhere')
    runner = pipeline(done)
    text = runner.describe_plan()
    assert 'images: MISSING, /nowhere/ImageSets/Segmentation/train.txt: no such list' in text
    with pytest.raises(StageError, match=r'^stage classifier needs images: /nowhere/.*') as error:
        runner.train()
    assert '\n' not in str(error.value)


CHANGES = pytest.mark.parametrize(
    ('stage', 'options', 'reason', 'runs'),
    [
        ('classifier', {'optim_wrapper.optimizer.lr': 0.02}, 'optim_wrapper.optimizer.lr 0.01 -> 0.02', 8),
        ('cam', {'test_cfg.scales': [1.0]}, 'test_cfg.scales.1 0.5 -> (none)', 7),
        ('evaluation', {'test_cfg.fp16': False}, 'test_cfg.fp16 (none) -> False', 1),
    ],
)


@CHANGES
def test_a_changed_config_asks_before_a_finished_stage_is_made_again(pipeline, done, stage, options, reason, runs):
    before = tree(done)
    runner = pipeline(done, stages={stage: {'options': options}})
    assert actions(runner) == {name: 'ask' if name == stage else 'skip' for name in STAGES}
    assert reasons(runner)[stage] == f'its config changed: {reason}'
    line = f'{stage}: done, but its config changed: {reason}; --redo makes it again'
    assert line in runner.describe_plan()
    with pytest.raises(StageError, match=f'^stage {stage} is done, but its config changed: .*: --redo makes it again'):
        runner.train()
    after = tree(done)
    rewritten = {done, *(done / name for name in ('pipeline.log', 'report.html', '.lock'))}
    assert {path for path in after if after[path] != before.get(path)} <= rewritten


@CHANGES
def test_redo_runs_the_stage_and_what_reads_it(pipeline, done, stage, options, reason, runs):
    runner = pipeline(done, stages={stage: {'options': options}}, redo=True)
    assert list(actions(runner).values()) == ['skip'] * (8 - runs) + ['run'] * runs
    assert reasons(runner)[stage] == f'its config changed: {reason}'


@pytest.mark.parametrize('answer', [True, False])
def test_a_yes_makes_it_again(pipeline, done, answer):
    asked = []

    def confirm(question):
        asked.append(question)
        return answer

    options = {'test_cfg.threshold': 0.4}
    runner = pipeline(done, stages={'pseudo_label': {'options': options}}, only_stages=['pseudo_label'])
    runner.confirm = confirm
    if answer:
        before = contents(done)
        runner.train()
        after = contents(done)
        assert {name for name in after if after[name] != before[name]} == {FOLDERS[-1]}
    else:
        with pytest.raises(StageError, match='--redo makes it again'):
            runner.train()
    assert len(asked) == 1 and asked[0].startswith(
        'stage pseudo_label is done, but its config changed: test_cfg.thresh'
    )


def test_what_a_stage_does_not_read_is_no_setting(pipeline, done, monkeypatch):
    """What is drawn or logged, the training's settings of a stage that tests."""
    options = {
        'optim_wrapper.optimizer.lr': 0.02,
        'log_level': 'ERROR',
        'train_cfg.max_epochs': 5,
    }
    assert set(actions(pipeline(done, stages={'cam': {'options': options}})).values()) == {'skip'}


def test_options_for_all_stages(pipeline, done, tiny_voc):
    runner = pipeline(done, **{'options.randomness.seed': 3, 'options.optim_wrapper.optimizer.lr': 0.1})
    assert runner.planner.config(runner.stages['affinity']).randomness.seed == 3
    assert runner.planner.config(runner.stages['segmentation']).optim_wrapper.optimizer.lr == 0.1
    assert actions(runner)['evaluation'] == 'ask'
    with pytest.raises(InputError, match=r'^options.nonsense: no stage has the setting nonsense$'):
        pipeline(done, **{'options.nonsense.seed': 3})
    runner = pipeline(done, data_root=str(tiny_voc))
    for stage in runner.stages.values():
        assert runner.planner.config(stage)[stage.dataloader].dataset.data_root == str(tiny_voc)


def test_same_bytes_do_not_run_what_reads_them(pipeline, done):
    before = contents(done)
    runner = pipeline(done, stages={'cam': {'options': {'test_evaluator.threshold': 0.3}}}, redo=True)
    assert actions(runner)['affinity_label'] == 'run'  # as far as can be known
    runner.train()
    assert contents(done) == before
    records = manifest(done)
    assert records['cam']['started'] >= records['evaluation']['started']
    log = (done / 'pipeline.log').read_text()
    assert 'cam: run, its config changed: test_evaluator.threshold (none) -> 0.3' in log
    assert 'affinity_label: skip, it is done' in log


def test_a_changed_input_runs_the_stage(pipeline, tiny_voc, tmp_path, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))

    def run():
        return pipeline(tmp_path / 'work', only_stages=['classifier'])

    run().train()
    assert actions(run())['classifier'] == 'skip'
    annotation = tiny_voc / 'Annotations' / 'img_00.xml'
    annotation.write_text(annotation.read_text().replace('<name>disc', '<name>cross'))
    assert reasons(run())['classifier'] == 'what it reads changed: images'
    split = tiny_voc / 'ImageSets' / 'Segmentation' / 'train.txt'
    split.write_text('\n'.join(split.read_text().split()[:-1]) + '\n')
    assert reasons(run())['classifier'] == 'what it reads changed: images (8 items before, 7 items now)'


def test_a_lost_output_is_made_again(pipeline, done):
    before = contents(done)
    kept = tree(done / 'cam' / 'cams')
    (done / 'cam' / 'cams' / 'img_03.npz').unlink()
    runner = pipeline(done)
    assert reasons(runner)['cam'] == 'what it wrote is gone or changed'
    runner.train()
    assert contents(done) == before
    changed = {path.name for path, stamp in tree(done / 'cam' / 'cams').items() if kept[path] != stamp}
    assert changed == {'img_03.npz'}


def test_some_stages_only(pipeline, done):
    shutil.rmtree(done / 'pseudo_label')
    runner = pipeline(done, only_stages=['cam', 'pseudo_label'], redo=True)
    assert [name for name, action in actions(runner).items() if action != 'leave'] == ['cam', 'pseudo_label']
    runner.train()
    assert (done / 'pseudo_label' / 'SegmentationClassPseudo' / 'img_00.png').exists()
    runner = pipeline(done, from_stage='affinity')
    assert [name for name, action in actions(runner).items() if action == 'leave'] == STAGES[:3]
    with pytest.raises(InputError, match=r'^no stage is called seg; there are classifier, cam, .*'):
        pipeline(done, only_stages=['seg'])
    with pytest.raises(StageError, match=r'^stage cam needs classifier\.checkpoint: stage classifier is not done; run'):
        pipeline(done.parent / 'empty', from_stage='cam').train()
    for path in (done / 'classifier').glob('*.pth'):
        path.unlink()
    with pytest.raises(StageError, match=r'^stage cam needs classifier\.checkpoint: it is gone from .*; run stage'):
        pipeline(done, from_stage='cam').train()


def test_labels_straight_from_cams(pipeline, done, tmp_path):
    config = tmp_path / 'child.py'
    config.write_text(f"""
_base_ = '{CONFIGS}/tiny_pipeline.py'
stages = dict(
    affinity_label=None,
    affinity=None,
    walk=None,
    pseudo_label=dict(options={{'test_cfg.cam_dir': '{{cam.out_dir}}', 'test_cfg.threshold': 0.3}}))
""")
    for name in ('tiny_amr.py', 'tiny_pseudo-label.py', 'tiny_segmentation.py'):
        shutil.copy(CONFIGS / name, tmp_path)
    runner = pipeline(done, config=config, only_stages=['classifier', 'cam', 'pseudo_label'])
    assert list(runner.stages) == ['classifier', 'cam', 'pseudo_label', 'segmentation', 'evaluation']
    shutil.rmtree(done / 'pseudo_label')
    metrics = runner.train()['pseudo_label']
    assert 0 < metrics['label/mIoU'] < 100
    class_index = ClassIndex(('disc', 'square', 'cross'))
    for path in (done / 'cam' / 'cams').glob('*.npz'):
        cam = read_cam(str(path))
        expected = seed(upsample(mix(cam), cam.size), cam.classes, 0.3)
        label = read_mask(str(done / 'pseudo_label' / 'SegmentationClassPseudo' / f'{path.stem}.png'), class_index)
        np.testing.assert_array_equal(label, expected)
    # at the fixed threshold a CAM scores what its labels score
    assert metrics['label/mIoU'] == pytest.approx(metrics['CAM/weighted.mIoU'], abs=1e-6)


@pytest.mark.slow
def test_a_stage_gives_what_it_gives_alone(finished, shared_voc, load_tool, tmp_path, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(shared_voc))
    config = str(CONFIGS / 'tiny_amr.py')
    load_tool('train.py').main([config, '--work-dir', str(tmp_path / 'alone')])
    checkpoint = tmp_path / 'alone' / 'epoch_2.pth'
    assert (
        checkpoint_fingerprint(str(checkpoint))['hash']
        == manifest(finished)['classifier']['outputs']['checkpoint']['hash']
    )
    monkeypatch.setattr('sys.argv', ['test.py', config, str(checkpoint), '--work-dir', str(tmp_path / 'cam')])
    load_tool('test.py').main()
    assert folder_fingerprint(str(tmp_path / 'cam' / 'cams'))['hash'] == contents(finished)['cam/cams']
    # in another scope, at the end of a pipeline, after six other stages
    load_tool('train.py').main(
        [
            str(CONFIGS / 'tiny_segmentation.py'),
            '--work-dir',
            str(tmp_path / 'seg'),
            '--cfg-options',
            f'train_dataloader.dataset.label_dir={finished / "pseudo_label" / "SegmentationClassPseudo"}',
        ]
    )
    assert (
        checkpoint_fingerprint(str(tmp_path / 'seg' / 'iter_6.pth'))['hash']
        == manifest(finished)['segmentation']['outputs']['checkpoint']['hash']
    )


def test_nothing_is_left_behind_in_the_process(pipeline, done):
    managers = (DefaultScope, MessageHub, MMLogger, Visualizer, SegLocalVisualizer)
    before = [list(manager._instance_dict) for manager in managers]
    stages = {'evaluation': {'options': {'test_cfg.fp16': False, 'randomness.deterministic': True}}}
    pipeline(done, stages=stages, only_stages=['evaluation'], redo=True).train()
    assert [list(manager._instance_dict) for manager in managers] == before
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (OSError(errno.ENOSPC, 'No space left on device', 'there.npz'), 'there.npz: the disk is full; make room'),
        pytest.param(
            OSError(errno.EROFS, 'Read-only file system', 'there.npz'),
            'there.npz: Read-only file system; choose a folder',
            marks=pytest.mark.slow,
        ),
        pytest.param(
            torch.cuda.OutOfMemoryError('CUDA out of memory.'),
            'out of memory; lower the batch size',
            marks=pytest.mark.slow,
        ),
        pytest.param(
            RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. '),
            'a worker of the data loader died;',
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_failure_is_one_line(pipeline, done, monkeypatch, error, line):
    before = contents(done)
    (done / 'cam' / 'cams' / 'img_07.npz').unlink()

    def fail(*args):
        raise error

    with monkeypatch.context() as patch, pytest.raises(StageError, match=f'^stage cam: {line}') as raised:
        patch.setattr(CAMFolder, 'write', fail)
        pipeline(done, only_stages=['cam']).train()
    assert '\n' not in str(raised.value)
    record = manifest(done)['cam']
    assert record['state'] == 'failed' and record['error'].startswith(line)
    runner = pipeline(done, only_stages=['cam'])
    assert reasons(runner)['cam'].startswith(f'it failed: {line}')
    runner.train()
    assert contents(done) == before


def test_an_unknown_failure_keeps_its_traceback(pipeline, done, monkeypatch):
    (done / 'cam' / 'cams' / 'img_07.npz').unlink()
    monkeypatch.setattr(CAMFolder, 'write', lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pipeline(done, only_stages=['cam']).train()
    assert manifest(done)['cam']['error'] == 'ZeroDivisionError: division by zero'


def test_a_work_folder_that_cannot_be_made(pipeline, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError):
        pipeline(tmp_path / 'file' / 'work').train()


@pytest.mark.parametrize('number', [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_it_and_resume_goes_on(pipeline, done, monkeypatch, number):
    before = contents(done)
    shutil.rmtree(done / 'cam')
    make = CAMLoop.make
    calls = []

    def interrupted(self, data_batch):
        calls.append(data_batch)
        if len(calls) == 2:
            os.kill(os.getpid(), number)
        return make(self, data_batch)

    handler = signal.getsignal(number)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(CAMLoop, 'make', interrupted)
        pipeline(done, only_stages=['cam']).train()
    assert signal.getsignal(number) is handler
    assert manifest(done)['cam']['state'] == 'interrupted'
    assert 0 < len(list((done / 'cam' / 'cams').glob('*.npz'))) < 12
    runner = pipeline(done, resume=True, only_stages=['cam'])
    assert actions(runner)['cam'] == 'resume' and reasons(runner)['cam'] == 'it was interrupted'
    runner.train()
    assert contents(done) == before
    assert manifest(done)['cam']['attempts'] == 2


def test_a_training_resumes_from_its_last_whole_checkpoint(pipeline, done):
    records = json.loads((done / 'manifest.json').read_text())
    records['stages']['classifier']['state'] = 'running'
    (done / 'manifest.json').write_text(json.dumps(records))
    whole = (done / 'classifier' / 'epoch_2.pth').read_bytes()
    (done / 'classifier' / 'epoch_2.pth').write_bytes(whole[:-100])
    decision = pipeline(done).plan()[0]
    assert decision.action == 'run' and decision.resume_from is None
    assert decision.reason == 'it was interrupted; it begins again, --resume would go on'
    runner = pipeline(done, resume=True, only_stages=['classifier'])
    decision = runner.plan()[0]
    assert (decision.action, decision.reason) == ('resume', 'it was interrupted')
    assert decision.resume_from == str(done / 'classifier' / 'epoch_1.pth')
    runner.train()
    record = manifest(done)['classifier']
    assert record['state'] == 'done' and record['attempts'] == 2
    log = ''.join(path.read_text() for path in (done / 'classifier').rglob('*.log'))
    assert 'resumed epoch: 1' in log


@pytest.mark.slow
def test_a_training_that_begins_again_forgets_its_old_checkpoints(pipeline, done):
    (done / 'segmentation' / 'iter_900.pth').write_bytes(b'of somebody else')
    stages = {'segmentation': {'options': {'train_cfg.max_iters': 4}}}
    runner = pipeline(done, stages=stages, only_stages=['segmentation'], redo=True)
    runner.train()
    assert sorted(path.name for path in (done / 'segmentation').glob('*.pth')) == ['iter_2.pth', 'iter_4.pth']
    # mmengine alone would remove the old checkpoint before it writes the new one
    assert runner.planner.config(runner.stages['segmentation']).default_hooks.checkpoint.max_keep_ckpts == 2


@pytest.mark.slow
def test_a_training_killed_before_its_last_validation_is_measured(pipeline, done):
    records = json.loads((done / 'manifest.json').read_text())
    metrics = records['stages']['segmentation']['metrics']
    records['stages']['segmentation'].update(state='running', metrics={})
    (done / 'manifest.json').write_text(json.dumps(records))
    assert pipeline(done, resume=True, only_stages=['segmentation']).train()['segmentation'] == metrics


def test_a_broken_manifest(pipeline, done):
    (done / 'manifest.json').write_text('{')
    with pytest.raises(InputError, match=r'manifest\.json is no manifest of this version of WSSSRunner: remove it'):
        pipeline(done)


def test_command_line(load_tool, done, shared_voc, monkeypatch, capsys):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(shared_voc))
    main = load_tool('train.py').main
    config = str(CONFIGS / 'tiny_pipeline.py')
    argv = [config, '--work-dir', str(done)]
    main([*argv, '--dry-run', '--stages', 'cam', 'evaluation'])
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(' ')]
    assert [line.split(',')[0] for line in lines if line.partition(':')[0] in STAGES] == [
        'classifier: leave',
        'cam: skip',
        'affinity_label: leave',
        'affinity: leave',
        'walk: leave',
        'pseudo_label: leave',
        'segmentation: leave',
        'evaluation: skip',
    ]
    option = 'stages.evaluation.options.test_cfg.fp16=False'
    with pytest.raises(SystemExit, match=r'stage evaluation is done, but its config.*: --redo makes it again'):
        main([*argv, '--from-stage', 'evaluation', '--resume', '--cfg-options', option])
    main([*argv, '--from-stage', 'evaluation', '--redo', '--cfg-options', option])
    assert 'evaluation: run, its config changed: test_cfg.fp16' in (done / 'pipeline.log').read_text()
    for wrong, line in (
        ([*argv, '--amp'], '--amp is for a single training'),
        ([*argv, '--resume', 'a.pth'], '--resume takes no checkpoint for a pipeline'),
        ([*argv, '--stages', 'no'], 'no stage is called no'),
        ([str(CONFIGS / 'tiny_amr.py'), '--dry-run'], 'tiny_amr.py is no pipeline'),
    ):
        with pytest.raises(SystemExit) as error:
            main(wrong)
        assert line in str(error.value) and '\n' not in str(error.value)


def test_one_line_a_stage_on_the_terminal(run_tool, shared_voc, tmp_path):
    """All that the stages log is in their files; frozen parameters are not listed at all."""
    argv = ['train.py', CONFIGS / 'tiny_pipeline.py', '--work-dir', tmp_path, '--stages', 'classifier', 'cam']
    ended = run_tool(*argv, env={'MMAMR_TINY_VOC': str(shared_voc), 'PYTHONWARNINGS': 'ignore'})
    assert ended.code == 0, ended.output
    lines = [line for line in ended.output.splitlines() if 'warn' not in line.lower()]
    assert [line.partition(':')[0] for line in lines[: len(STAGES)]] == [
        f'[{number}/{len(STAGES)}] {name}' for number, name in enumerate(STAGES, 1)
    ]
    assert re.fullmatch(r'\[2/8\] cam: done in \d+ s, CAM/spotlight.mIoU .*', lines[1])
    assert lines[2] == '[3/8] affinity_label: leave, not asked for'
    # then where the report is, and the table
    assert lines[len(STAGES)].startswith('report: ') and all(line[:1] in '+|/' for line in lines[len(STAGES) + 1 :])
    logs = ''.join(path.read_text() for path in (tmp_path / 'classifier').rglob('*.log'))
    assert 'Saving checkpoint at 2 epochs' in logs and 'is skipped since' not in logs


def test_two_processes_make_what_one_makes(run_tool, done, shared_voc):
    before = contents(done)
    expected = manifest(done)
    records = json.loads((done / 'manifest.json').read_text())
    made = ['cam', 'affinity_label', 'walk', 'pseudo_label', 'evaluation']
    for name in made:
        shutil.rmtree(done / name)
        records['stages'].pop(name)
    (done / 'manifest.json').write_text(json.dumps(records))
    argv = ['train.py', CONFIGS / 'tiny_pipeline.py', '--work-dir', done, '--launcher', 'pytorch']
    env = {'MMAMR_TINY_VOC': str(shared_voc)}
    # the trainings are done and stay so: the weights are the same
    ended = run_tool(*argv, env=env, processes=2)
    assert ended.code == 0, ended.output
    assert contents(done) == before
    for name in made:
        assert manifest(done)[name]['metrics'] == expected[name]['metrics']
        assert manifest(done)[name]['processes'] == 2
    assert manifest(done)['affinity']['processes'] == 1
    # every process learns of a mistake, and none waits for another
    ended = run_tool(*argv, '--cfg-options', 'data_root=/nowhere', env=env, processes=2)
    assert ended.code == 1 and 'stage classifier needs images: /nowhere' in ended.output


@pytest.mark.slow
def test_two_nodes_make_what_one_process_makes(done, shared_voc, free_port):
    """Two launchers of two processes each, as on two nodes that share the work folder."""
    before = contents(done)
    expected = manifest(done)
    records = json.loads((done / 'manifest.json').read_text())
    made = ['cam', 'affinity_label', 'walk', 'pseudo_label', 'evaluation']
    for name in made:
        shutil.rmtree(done / name)
        records['stages'].pop(name)
    (done / 'manifest.json').write_text(json.dumps(records))
    environment = {
        **os.environ,
        'MMAMR_TINY_VOC': str(shared_voc),
        # the number of threads decides in which order a convolution adds up
        'OMP_NUM_THREADS': str(torch.get_num_threads()),
        'PYTHON': sys.executable,
        'NNODES': '2',
        'MASTER_ADDR': '127.0.0.1',
        'PORT': str(free_port()),
    }
    script = Path(__file__).parents[2] / 'tools' / 'dist_train.sh'
    nodes = [
        subprocess.Popen(
            ['bash', script, CONFIGS / 'tiny_pipeline.py', '2', '--work-dir', done],
            env={**environment, 'NODE_RANK': str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [node.communicate(timeout=500)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], '\n'.join(outputs)
    assert contents(done) == before
    for name in made:
        assert manifest(done)[name]['metrics'] == expected[name]['metrics']
        assert manifest(done)[name]['processes'] == 4


@pytest.mark.slow
def test_a_training_in_two_processes(run_tool, done, shared_voc):
    ended = run_tool(
        'train.py',
        CONFIGS / 'tiny_pipeline.py',
        '--work-dir',
        done,
        '--launcher',
        'pytorch',
        '--stages',
        'segmentation',
        '--redo',
        '--cfg-options',
        'stages.segmentation.options.train_cfg.max_iters=4',
        env={'MMAMR_TINY_VOC': str(shared_voc)},
        processes=2,
    )
    assert ended.code == 0, ended.output
    record = manifest(done)['segmentation']
    assert record['processes'] == 2 and record['outputs']['checkpoint']['path'].endswith('iter_4.pth')


def test_the_program_ends_with_one_line(run_tool, tmp_path, shared_voc):
    (tmp_path / 'file').write_text('')
    ended = run_tool(
        'train.py',
        CONFIGS / 'tiny_pipeline.py',
        '--work-dir',
        tmp_path / 'file' / 'work',
        env={'MMAMR_TINY_VOC': str(shared_voc)},
    )
    assert ended.code == 1 and 'Traceback' not in ended.output
    assert (
        ended.output.strip()
        .splitlines()[-1]
        .endswith('Not a directory; choose a folder that you may write, or change its permissions')
    )


@TRANSFORMS.register_module()
class KillWorker:
    """Ends the process that loads data, as the kernel does where memory is short."""

    def __call__(self, results):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_worker_that_dies(pipeline, done):
    before = contents(done)
    options = {'test_dataloader.num_workers': 1, 'test_dataloader.dataset.pipeline.0.type': 'KillWorker'}
    with pytest.raises(StageError, match=r'^stage cam: a worker of the data loader died; lower num_workers'):
        pipeline(done, stages={'cam': {'options': options}}, only_stages=['cam'], redo=True).train()
    pipeline(done, only_stages=['cam'], redo=True).train()
    assert contents(done) == before
