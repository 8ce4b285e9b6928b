"""Each benchmark runs, on something small, and its two sides agree."""

import csv
import re

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
