"""Experiments with a stand-in for the process of a job, which writes what the real one would."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.experiments import ClassifierRun, EnsembleRun, Experiments, Job, PipelineRun
from mmamr.experiments.photo_sample import PhotoSample
from mmamr.experiments.runs import environment
from mmamr.utils import InputError

STAND_IN = """
import json, pathlib, sys
job = json.loads(sys.argv[1])
work_dir = pathlib.Path(job['work_dir'])
options, name = job['options'], f'{work_dir.parent.name} {work_dir.name}'
with open(work_dir.parents[1] / 'calls.txt', 'a') as file:
    what = options.get('load_from', '') if job['kind'] in ('train', 'pipeline') else options[
        'test_dataloader.dataset.split']
    file.write(f"{job['kind']} {name} {what}\\n")
if options.get('model.fails'):
    sys.exit(3)
if job['kind'] == 'pipeline':
    seed = options['options.randomness.seed']
    stages = dict(cam=dict(state='done', metrics={'CAM/spotlight.best_mIoU': 50 + seed}),
                  evaluation=dict(state='done', metrics={'mIoU': 60 + seed}))
    (work_dir / 'manifest.json').write_text(json.dumps(dict(stages=stages)))
elif job['kind'] == 'train':
    if 'model.start' in options:
        assert options['model.start'] == options['load_from']
    (work_dir / 'last_checkpoint').write_text('somewhere/else/epoch_4.pth')
else:
    if job['kind'] == 'test':
        parents = (work_dir, work_dir.parents[1] / 'plain' / work_dir.name)
        assert job['checkpoint'] in [str(folder / 'epoch_4.pth') for folder in parents]
        seed, file = options['randomness.seed'], options['test_evaluator.out_file']
    else:
        seed, file = 0, job['curves_file']
    best = {'train.txt': [10., 40. + seed, 20.], 'val.txt': [50., 30. + seed, 20.]}
    curves = dict(spotlight=dict(thresholds=[0.1, 0.2, 0.3], miou=best[options['test_dataloader.dataset.split']]))
    pathlib.Path(file).write_text(json.dumps(curves))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / 'stand_in.py').write_text(STAND_IN)

    def command(self):
        return [sys.executable, str(tmp_path / 'stand_in.py'), json.dumps(asdict(self))]

    monkeypatch.setattr(Job, 'command', command)
    (tmp_path / 'cam.py').write_text('model = dict(type="CAMClassifier", fails=0)')
    (tmp_path / 'pipeline.py').write_text(
        'stage = dict(kind="test", config="cam.py")\nstages = dict(cam=stage, skipped=None, evaluation=stage)'
    )
    return tmp_path


def experiments(folder, seeds=(0, 1), runs=None, cfg_runs=None, **changes):
    cfg = dict(
        title='Two kinds of runs',
        splits=dict(train='train.txt', val='val.txt'),
        choose_on='train',
        runs=dict(
            child=dict(config='cam.py', load_from='plain'),
            plain=dict(config='cam.py'),
            whole=dict(config='pipeline.py'),
        ),
        rows=[
            dict(name='plain', run='plain', cam='spotlight', paper=48.3),
            dict(name='child', run='child', cam='spotlight'),
            dict(
                name='pipeline',
                run='whole',
                metrics=dict(train=('cam', 'CAM/spotlight.best_mIoU'), val=('evaluation', 'mIoU')),
            ),
        ],
    )
    if cfg_runs is not None:
        cfg.update(runs=cfg_runs, rows=[])
    cfg.update(changes)
    return Experiments(Config(cfg), str(folder), str(folder / 'work'), seeds, runs)


def calls(folder):
    path = folder / 'work' / 'calls.txt'
    return path.read_text().splitlines() if path.exists() else []


def test_runs_are_trained_once_and_parents_first(folder):
    ours = experiments(folder)
    assert isinstance(ours.runs['plain', 0], ClassifierRun) and isinstance(ours.runs['whole', 0], PipelineRun)
    assert f'{folder}/work/plain/seed0: to do: train, val' in ours.plan()
    assert f'{folder}/work/whole/seed1: to do: cam, evaluation' in ours.plan()
    ours.run(jobs=2)
    done = calls(folder)
    assert len(done) == 2 * (3 + 3 + 1)
    assert f'train child seed1 {folder}/work/plain/seed1/epoch_4.pth' in done
    assert done.index('train plain seed1 ') < done.index(f'train child seed1 {folder}/work/plain/seed1/epoch_4.pth')
    assert {line.rpartition(': ')[2] for line in ours.plan()} == {'done'}
    # nothing is left to do
    experiments(folder).run()
    assert calls(folder) == done
    # what was not measured is, without another training
    os.remove(folder / 'work' / 'plain' / 'seed0' / 'curves_val.json')
    experiments(folder).run()
    assert calls(folder)[len(done) :] == ['test plain seed0 val.txt']


def test_options_take_the_checkpoint_of_the_parent(folder):
    runs = dict(
        child=dict(config='cam.py', load_from='plain', options={'model.start': '{checkpoint}'}),
        plain=dict(config='cam.py'),
    )
    experiments(folder, [2], cfg_runs=runs).run()
    assert f'train child seed2 {folder}/work/plain/seed2/epoch_4.pth' in calls(folder)


def test_other_cams_of_the_same_weights(folder):
    (folder / 'climbing.py').write_text('model = dict(type="CAMClassifier")')
    runs = dict(climbed=dict(config='climbing.py', checkpoint_of='plain'), plain=dict(config='cam.py'))
    cfg = Config(dict(experiments(folder).cfg.to_dict(), runs=runs, rows=[]))
    Experiments(cfg, str(folder), str(folder / 'work'), seeds=[3]).run()
    assert [line for line in calls(folder) if 'climbed' in line] == [
        'test climbed seed3 train.txt',
        'test climbed seed3 val.txt',
    ]


def test_ensembles_average_two_seeds(folder):
    runs = dict(both=dict(ensemble_of='plain'), plain=dict(config='cam.py'))
    ours = Experiments(
        Config(dict(experiments(folder).cfg.to_dict(), runs=runs, rows=[])),
        str(folder),
        str(folder / 'work'),
        seeds=[0, 1, 4],
    )
    ensemble = ours.runs['both', 4]
    assert isinstance(ensemble, EnsembleRun) and ensemble.config == str(folder / 'cam.py')
    job, _ = ensemble.jobs()
    assert (job.kind, job.name) == ('ensemble', 'ensemble_train')
    assert job.cam_dirs == [f'{folder}/work/plain/seed{seed}/cams_train' for seed in (4, 0)]
    assert job.curves_file == ensemble.curves_file('train')
    assert job.options['test_dataloader.dataset.split'] == 'train.txt'
    for seeds in ([0], [0, 1], [0, 0, 1]):
        with pytest.raises(InputError, match='both averages pairs of seeds'):
            Experiments(ours.cfg, str(folder), str(folder / 'work'), seeds=seeds)
    # with more seeds it may be another pair
    names = [
        {name.partition('.')[0] for name in experiments(folder, seeds, cfg_runs=runs).runs['both', 1].all_settings()}
        for seeds in ([0, 1, 2], [0, 1, 3])
    ]
    assert {'plain/seed1', 'plain/seed2'} <= names[0] and 'plain/seed2' not in names[1]


def test_the_threshold_is_chosen_on_one_split(folder):
    ours = experiments(folder)
    ours.run()
    plain, child, pipeline = ours.table().rows
    # val is best at 0.1, but 0.2 is best on train
    assert plain['values'] == {'train mIoU': [40, 41], 'val mIoU': [30, 31], 'threshold': [0.2, 0.2]}
    assert child['values'] == plain['values']
    assert pipeline['values'] == {'train mIoU': [50, 51], 'val mIoU': [60, 61]}


def test_only_some_runs(folder):
    ours = experiments(folder, seeds=[5], runs=['whole'])
    ours.run()
    assert calls(folder) == ['pipeline whole seed5 ']
    assert [row['name'] for row in ours.table().rows] == ['pipeline']
    # a run takes along the one that it starts from
    assert {name for name, _ in experiments(folder, runs=['child']).runs} == {'plain', 'child'}


def test_only_some_stages_of_a_pipeline(folder):
    runs = dict(whole=dict(config='pipeline.py', stages=['cam']))
    ours = Experiments(Config(dict(runs=runs, rows=[])), str(folder), str(folder / 'work'), seeds=[0])
    run = ours.runs['whole', 0]
    assert run.missing() == ['cam']
    (job,) = run.jobs()
    assert job.kind == 'pipeline' and job.stages == ['cam']


def test_a_run_that_fails_is_named_and_others_are_finished(folder):
    bad, good = dict(config='cam.py', options={'model.fails': 1}), dict(config='cam.py')
    ours = experiments(folder, seeds=[0], rows=[])
    ours.cfg.runs = dict(bad=bad, good=good)
    ours = Experiments(ours.cfg, ours.config_dir, ours.work_dir, seeds=[0])
    with pytest.raises(InputError, match=r'bad with seed 0 failed, see .*/bad/seed0/train\.log'):
        ours.run()
    assert not ours.runs['good', 0].missing() and ours.runs['bad', 0].missing()
    assert not (folder / 'work' / 'bad' / 'seed0' / 'trained').exists()


def test_unknown_runs_are_named(folder):
    with pytest.raises(InputError, match=r"no runs \['none'\]; it has"):
        experiments(folder, runs=['none'])
    with pytest.raises(InputError, match=r"no runs \['lost'\]; it has"):
        experiments(folder, rows=[dict(name='row', run='lost', cam='spotlight')])


def test_other_settings_of_a_stage_do_not_enter_a_table(folder):
    runs = dict(whole=dict(config='pipeline.py'))
    experiments(folder, seeds=[0], runs=['whole'], cfg_runs=runs).run()
    (folder / 'cam.py').write_text('model = dict(type="CAMClassifier", fails=0, width=3)')
    with pytest.raises(InputError, match=r'whole/seed0 was made with other settings \(cam\.model\.width \(none\) -> 3'):
        experiments(folder, seeds=[0], runs=['whole'], cfg_runs=runs).run()


def test_other_settings_do_not_enter_a_table(folder):
    def run(**options):
        experiments(folder, seeds=[0], runs=['plain'], cfg_runs=dict(plain=dict(config='cam.py', **options))).run()

    run()
    before = calls(folder)
    with pytest.raises(InputError) as error:
        run(options={'model.width': 3})
    assert 'work/plain/seed0 was made with other settings (model.width (none) -> 3); take another' in str(error.value)
    run()
    assert calls(folder) == before


def test_other_settings_of_a_parent_do_not_enter_a_table(folder):
    def run(**options):
        runs = dict(plain=dict(config='cam.py', **options), child=dict(config='cam.py', load_from='plain'))
        experiments(folder, seeds=[0], runs=['child'], cfg_runs=runs).run()

    run()
    shutil.rmtree(folder / 'work' / 'plain')
    with pytest.raises(InputError, match=r'child/seed0 was made with other settings \(plain/seed0\.model\.width'):
        run(options={'model.width': 3})


def test_a_run_that_made_nothing_may_be_corrected(folder):
    def run(fails):
        runs = dict(plain=dict(config='cam.py', options={'model.fails': fails}))
        ours = experiments(folder, seeds=[0], runs=['plain'], cfg_runs=runs)
        ours.run()
        return ours

    with pytest.raises(InputError, match='plain with seed 0 failed'):
        run(1)
    assert not run('').runs['plain', 0].missing()


@pytest.mark.parametrize('name', ['my runs', 'a,b', "it's"])
def test_any_name_of_a_folder(folder, name):
    ours = Experiments(experiments(folder).cfg, str(folder), str(folder / name), seeds=[0], runs=['plain'])
    ours.run()
    assert not ours.runs['plain', 0].missing()


def test_one_experiment_at_a_time_in_a_folder(folder):
    ours = experiments(folder, seeds=[0], runs=['plain'])
    code = (
        'import sys; from mmamr.utils.folder_lock import FolderLock; lock = FolderLock(sys.argv[1], sys.argv[2]); '
        'lock.acquire(); print("locked", flush=True); sys.stdin.read()'
    )
    command = [sys.executable, '-c', code, ours.runs['plain', 0].work_dir, '.experiment.lock']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == 'locked\n'
        with pytest.raises(InputError, match='plain/seed0: another run is at work here'):
            ours.run()
        other.stdin.close()
    assert not calls(folder)
    ours.run()
    assert calls(folder)


def test_a_classifier_that_starts_from_a_pipeline(folder):
    runs = dict(whole=dict(config='pipeline.py'), child=dict(config='cam.py', load_from='whole'))
    with pytest.raises(InputError, match='run child starts from whole, a pipeline; name the run of a classifier'):
        experiments(folder, seeds=[0], runs=['child'], cfg_runs=runs)


def test_settings_that_mean_nothing(folder):
    with pytest.raises(InputError, match=r"run wrong has unknown settings \['load_form'\]; there are"):
        experiments(folder, runs=['wrong'], cfg_runs=dict(wrong=dict(config='cam.py', load_form='plain')))


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        (dict(run='plain', cam='weighted'), r'curves_train\.json: nothing is called weighted; there are spotlight'),
        (dict(run='whole', metrics=dict(val=('evaluation', 'IoU'))), 'nothing is called IoU; there are mIoU'),
        (
            dict(run='whole', metrics=dict(val=('test', 'mIoU'))),
            'seed0: nothing is called test; there are cam, evaluation',
        ),
    ],
)
def test_what_was_not_measured(folder, row, message):
    ours = experiments(folder, seeds=[0], rows=[dict(row, name='row')])
    ours.run()
    with pytest.raises(InputError, match=message):
        ours.table()


def test_jobs_share_the_cores(monkeypatch):
    monkeypatch.setattr('os.cpu_count', lambda: 8)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert environment(None, 3)['OMP_NUM_THREADS'] == '2' and environment(None, 9)['OMP_NUM_THREADS'] == '1'
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert environment(1, 3)['CUDA_VISIBLE_DEVICES'] == '1' and 'OMP_NUM_THREADS' not in environment(1, 3)
    assert 'CUDA_VISIBLE_DEVICES' not in environment(None, 3)
    # of those that the user gave
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '2,GPU-5')
    assert [environment(device, 2)['CUDA_VISIBLE_DEVICES'] for device in (0, 1)] == ['2', 'GPU-5']
    assert 'OMP_NUM_THREADS' not in os.environ
    monkeypatch.setenv('OMP_NUM_THREADS', '5')
    assert environment(None, 3)['OMP_NUM_THREADS'] == '5'


def test_the_tool(folder, load_tool, monkeypatch, capsys):
    tool = load_tool('run_experiments.py')
    monkeypatch.delenv('MMAMR_DATA', raising=False)
    config = folder / 'table.py'
    config.write_text('\n'.join(f'{key} = {value!r}' for key, value in experiments(folder).cfg.to_dict().items()))
    argv = [str(config), '--work-dir', str(folder / 'work'), '--seeds', '0', '2', '--runs', 'plain']
    tool.main([*argv, '--dry-run'])
    assert 'to do: train, val' in capsys.readouterr().out and not calls(folder)
    tool.main(argv)
    assert '| plain | 41.0 ± 1.4 | 31.0 ± 1.4 | 0.20 | 2 | 48.3 |' in capsys.readouterr().out
    assert {path.name for path in Path(folder / 'work').glob('*.*')} == {
        'calls.txt',
        'table_plain.md',
        'table_plain.csv',
        'table_plain.png',
    }
    with pytest.raises(SystemExit, match='no runs'):
        tool.main([*argv[:-1], 'none'])
    with pytest.raises(SystemExit, match=r'table\.py is for one data set only, not for embedded'):
        tool.main([*argv, '--data', 'embedded'])
    assert tool.table_name('a/table3.py', Config(dict(data='embedded'))) == 'table3_embedded'
    assert tool.table_name('a/tuning_voc07-mini.py', Config(dict(data='voc07-mini'))) == 'tuning_voc07-mini'
    config.write_text(config.read_text() + '\nrows = rows[1:]')
    tool.main(argv)
    assert 'plain: done; no row of the table is of these runs alone' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        tool.main([*argv, '--jobs', '-1'])
    assert '--jobs must not be negative' in capsys.readouterr().err


def test_manifest_of_a_pipeline_that_is_not_done(folder):
    run = experiments(folder).runs['whole', 0]
    os.makedirs(run.work_dir)
    stages = dict(cam=dict(state='done'), evaluation=dict(state='failed'))
    (Path(run.work_dir) / 'manifest.json').write_text(json.dumps(dict(stages=stages)))
    assert run.missing() == ['evaluation']


@pytest.mark.slow
def test_real_jobs(shared_voc, load_tool, monkeypatch, tmp_path, capsys):
    """A classifier that is trained and measured, and a pipeline, each in processes of its own."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(shared_voc))
    monkeypatch.delenv('MMAMR_DATA', raising=False)
    configs = Path(__file__).parents[1] / 'data' / 'configs'
    train = 'ImageSets/Segmentation/train.txt'
    cfg = dict(
        title='Real jobs',
        splits=dict(train=train, val=train),
        choose_on='train',
        runs=dict(
            amr=dict(config=str(configs / 'tiny_amr.py')),
            whole=dict(config=str(configs / 'tiny_pipeline.py'), stages=('classifier', 'cam')),
        ),
        rows=[
            dict(name='AMR', run='amr', cam='weighted'),
            dict(name='in a pipeline', run='whole', metrics=dict(train=('cam', 'CAM/weighted.best_mIoU'))),
        ],
    )
    config = tmp_path / 'real.py'
    config.write_text('\n'.join(f'{key} = {value!r}' for key, value in cfg.items()))
    argv = [str(config), '--work-dir', str(tmp_path / 'work'), '--seeds', '0', '--jobs', '2']
    load_tool('run_experiments.py').main(argv)
    table = capsys.readouterr().out
    assert '| AMR |' in table and '| in a pipeline |' in table
    load_tool('run_experiments.py').main([*argv, '--dry-run'])
    assert capsys.readouterr().out.count(': done') == 2


PHOTOS = dict(
    data_root='voc',
    metainfo=dict(classes=['cat'], mask_values=[8]),
    classes=['cat'],
    sizes=dict(photos=1, new=1, more=1),
)


def test_photos_are_drawn_trained_with_and_predicted(folder, monkeypatch):
    """The sample, which has tests of its own, is one of words; so is what the commands write."""
    done = []
    monkeypatch.setattr(PhotoSample, 'draw', lambda self: done.append(f'draw {self.seed}'))
    monkeypatch.setattr(PhotoSample, 'ids', lambda self, part: [f'{part} 1'])
    monkeypatch.setattr(PhotoSample, 'measure', lambda self, label_dir, layout, ids: float(len(ids)))

    def command(self):
        done.append(f'{self.kind} {os.path.basename(self.photos or self.options["data_root"])}')
        stages = {name: dict(state='done', metrics={}) for name in ('cam', 'evaluation')}
        manifest = json.dumps(dict(stages=stages))
        lines = f"""
import pathlib, json
work = pathlib.Path({self.work_dir!r})
(work / 'pseudo_label' / 'SegmentationClassPseudo').mkdir(parents=True, exist_ok=True)
(work / 'pseudo_label' / 'SegmentationClassPseudo' / 'a.png').touch()
(work / 'pseudo_label' / 'SegmentationClassPseudo' / 'threshold.json').touch()
(work / 'manifest.json').write_text({manifest!r})
"""
        return [sys.executable, '-c', lines if self.kind == 'pipeline' else '']

    monkeypatch.setattr(Job, 'command', command)
    runs = dict(photos=dict(config='pipeline.py', photos=PHOTOS))
    rows = [dict(name='own photos', run='photos')]
    ours = experiments(folder, [3], cfg_runs=runs, rows=rows)
    run = ours.runs['photos', 3]
    assert run.missing() == ['cam', 'evaluation', 'masks of new photos']
    assert run.all_settings()['photos.sizes.more'] == '1'
    ours.run()
    assert done == ['draw 3', 'pipeline photos', 'predict new', 'predict more'] and not run.missing()
    (row,) = ours.table().rows
    assert row['values'].pop('seconds to train')[0] > 0 and row['values'].pop('seconds to predict')[0] > 0
    assert row['values'] == {'labels mIoU': [1.0], 'new photos mIoU': [2.0]}
    # nobody knows how long a run would have taken that was interrupted
    os.remove(run.measured)
    again = experiments(folder, [3], cfg_runs=runs, rows=rows)
    again.run()
    assert str(again.table().rows[0]['values']['seconds to train'][0]) == 'nan'


def test_the_command_that_predicts():
    words = Job('predict', 'predict_new', 'work', 'work/masks', photos='new photos').command()
    assert words[1:] == ['-m', 'mmamr.cli', 'predict', 'work', 'new photos', '--out', 'work/masks']
