"""The notebook runs from top to bottom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / 'demo' / 'mmamr.ipynb'


@pytest.mark.slow
def test_notebook(tmp_path):
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    assert all(not cell.get('outputs') for cell in cells)
    code = '\n'.join(''.join(cell['source']) for cell in cells if cell['cell_type'] == 'code')
    script = tmp_path / 'notebook.py'
    script.write_text(code + "\nplt.savefig('labels.png')\n", encoding='utf-8')
    ended = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={**os.environ, 'MPLBACKEND': 'Agg', 'MMAMR_NOTEBOOK_EPOCHS': '1', 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / 'work_dirs' / 'notebook' / 'epoch_1.pth').is_file() and (tmp_path / 'labels.png').is_file()
