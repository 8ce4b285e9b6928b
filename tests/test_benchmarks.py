"""Each benchmark runs, on something small, and its two sides agree."""

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


@pytest.mark.parametrize('script', RUNS)
def test_benchmark(run_tool, script):
    ended = run_tool(f'../benchmarks/{script}', *RUNS[script])
    assert ended.code == 0, ended.output
    differences = [float(number) for number in re.findall(r'difference[^\n]*? (\d\S*e[-+]\d+)', ended.output)]
    assert differences and max(differences) < 1e-3, ended.output
