"""Each benchmark runs, on something small, and its two sides agree."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = {
    'advcam.py': ('--size', 64, 64, '--images', 1, '--steps', 1, '--threads', 1),
    'affinity_loss.py': ('--losses', 'feature affinity', '--batch-size', 1, '--repeats', 1),
    'dense_crf.py': ('--size', 40, 50, '--repeats', 1, '--threads', 1),
    'make_cams.py': ('--backbone', 'mobilenet', '--images', 1, '--scales', 0.25, '--threads', 1),
    'random_walk.py': ('--size', 14, 18, '--repeats', 1, '--threads', 1),
    'train_step.py': ('--batch-size', 2, '--size', 64, '--steps', 1, '--threads', 1),
}


LONG = ('affinity_loss.py', 'random_walk.py')


@pytest.mark.parametrize('script', [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in RUNS])
def test_benchmark(run_tool, script):
    if script == 'dense_crf.py':
        pytest.importorskip('pydensecrf.densecrf')
    ended = run_tool(f'../benchmarks/{script}', *RUNS[script])
    assert ended.code == 0, ended.output
    differences = [float(number) for number in re.findall(r'difference[^\n]*? (\d\S*e[-+]\d+)', ended.output)]
    assert differences and max(differences) < 1e-3, ended.output


@pytest.mark.slow
def test_dry_run_of_the_gpu_benchmark(run_tool, tmp_path):
    ended = run_tool('../benchmarks/gpu.py', '--dry-run', '--out', tmp_path)
    assert ended.code == 0, ended.output
    rows = {path.stem: list(csv.DictReader(path.open())) for path in tmp_path.glob('*.csv')}
    assert all(row['largest difference'] == '0.0e+00' for row in rows['equal'])
    assert {row['finite'] for row in rows['amp']} == {'yes'}
    assert all(float(row['rate']) > 0 for row in rows['speed'])
    assert next(row['stage'] for row in rows['chain']) == 'classifier'
    assert rows['launch'][-1]['same'] == 'to the bit'
    page = (tmp_path / 'gpu.md').read_text()
    assert all(f'## {name}' in page for name in ('equal', 'amp', 'speed', 'chain', 'launch'))
    # what is there is kept
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob('*.csv')}
    assert run_tool('../benchmarks/gpu.py', '--dry-run', '--out', tmp_path).code == 0
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob('*.csv')}


def run_benchmark(script, *argv, **env):
    """A benchmark that starts processes of its own, which take longer than the limit of ``run_tool``."""
    path = Path(__file__).parents[1] / 'benchmarks' / script
    command = [sys.executable, str(path), *map(str, argv)]
    ended = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_training_beside_a_busy_process(tmp_path):
    """Every form has a row alone and one beside; which is faster depends on the machine."""
    size = ('--size', 64, '--batch-size', 1, '--steps', 1, '--repeats', 1)
    run_benchmark('busy_core.py', *size, '--also', 'GOMP_SPINCOUNT=7', '--csv', tmp_path / 'rows.csv')
    rows = list(csv.DictReader((tmp_path / 'rows.csv').open()))
    forms = ['OpenMP as it comes', 'import mmamr first', 'GOMP_SPINCOUNT=7']
    assert [(row['beside'], row['form']) for row in rows] == [
        (what, form) for what in ('nothing', '1 busy') for form in forms
    ]
    assert all(float(row['clock a step (s)']) > 0 for row in rows)


@pytest.mark.slow
def test_memory_of_stages(tmp_path, shared_voc):
    config = Path(__file__).parent / 'data' / 'configs' / 'tiny_pipeline.py'
    run_benchmark(
        'stage_memory.py',
        *('--config', config, '--cfg-options', '--csv', tmp_path / 'rows.csv'),
        MMAMR_TINY_VOC=str(shared_voc),
    )
    rows = list(csv.DictReader((tmp_path / 'rows.csv').open()))
    assert rows[0]['stage'] == 'classifier' and len(rows) > 3
    assert all(int(row['peak while it ran (MiB)']) >= int(row['held after it (MiB)']) > 0 for row in rows)


@pytest.mark.slow
def test_test_time_against_the_form_before(run_tool, tmp_path, shared_voc):
    config = Path(__file__).parent / 'data' / 'configs' / 'tiny_segmentation.py'
    ended = run_tool(
        '../benchmarks/ms_flip_crf.py',
        *('--config', config, '--images', 2, '--repeats', 1, '--threads', 1, '--csv', tmp_path / 'rows.csv'),
        env={'MMAMR_TINY_VOC': str(shared_voc)},
    )
    assert ended.code == 0, ended.output
    before, ours = csv.DictReader((tmp_path / 'rows.csv').open())
    assert before['form'] == 'as before' and float(ours['pixels that differ (%)']) < 1
