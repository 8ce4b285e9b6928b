"""The environments that mmamr is run in: ``nox -s oldest`` makes one and runs the tests, those of the slow ones that
take two processes, and the demo in it.

``nox`` runs them all, one after the other; each takes 5 GB, in ``.nox``, and a quarter of an hour on two idle cores.
What came out is written as a row of ``docs/results/data/environments.csv``. Interpreters that are not there are
skipped.
"""

import csv
import datetime
import json
import os
import re
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
TABLE = ROOT / 'docs' / 'results' / 'data' / 'environments.csv'
CONSTRAINTS = ('-c', 'requirements/constraints.txt')
OLDEST = ('torch==2.1.2', 'torchvision==0.16.2', 'numpy==1.26.4', 'opencv-python==4.9.0.80')
# Python, and what pip is asked for beside mmamr
ENVIRONMENTS = {
    'oldest': ('3.10', (*OLDEST, 'mmcv-lite==2.1.0')),
    'mmcv': ('3.10', (*OLDEST, 'mmcv==2.1.0')),
    'torch2.6': ('3.11', ('torch==2.6.0', 'torchvision==0.21.0', 'numpy==2.0.2', 'mmcv-lite==2.2.0')),
    'torch2.11': ('3.12', ('torch==2.11.0', 'torchvision==0.26.0', 'numpy==2.5.*')),
    'newest': ('3.13', ('torch==2.15.0', 'torchvision==0.29.2', 'setuptools')),
    'constraints': ('3.11', CONSTRAINTS),
    # made by `make`; PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu where pip finds no such torch
    'cpu': ('3.11', ('torch==2.13.0+cpu', 'torchvision==0.28.0')),
}
PROCESSES = 'two_processes or two_nodes or dist_train'
SHOWN = ('torch', 'numpy', 'opencv-python', 'mmcv', 'mmcv-lite', 'setuptools')
# those of mmcv's C++ files that define what another of their folder defines, too
ALONE = (
    'pybind.cpp',
    'cpu/psamask.cpp',
    'cpu/roi_align.cpp',
    'cpu/roi_align_rotated.cpp',
    'cpu/rotated_feature_align.cpp',
)


def run(session: nox.Session) -> None:
    """Install, test, run the demo, write the row."""
    _, wanted = ENVIRONMENTS[session.name]
    if session.name == 'cpu':
        venv = session.virtualenv.location
        made = ('make', f'VENV={venv}', 'PYTHON=python', f'TORCH={" ".join(wanted)}', f'{venv}/.ready')
        session.run_install(*made, external=True)
    else:
        install(session, *wanted)
    frozen = session.run('python', '-m', 'pip', 'freeze', '--all', silent=True)
    if frozen is None:  # nox --install-only
        return
    found = dict(line.split('==', 1) for line in frozen.split() if '==' in line)
    row = dict(
        environment=session.name,
        Python=session.run('python', '-c', 'import platform; print(platform.python_version())', silent=True).strip(),
    )
    row.update({name: found.get(name, '') for name in SHOWN})
    row['tests'] = tests(session, 'not slow')
    row['two processes'] = tests(session, 'slow', '-k', PROCESSES)
    row.update(demo(session))
    row['date'] = datetime.date.today().isoformat()
    write(row)


def install(session: nox.Session, *wanted: str) -> None:
    """Install mmamr; torch stays what it is, whatever the rest would like."""
    full = [one for one in wanted if one.startswith('mmcv==')]
    wanted = tuple(one for one in wanted if one not in full)
    session.install(*wanted, 'setuptools<81' if 'setuptools' not in wanted else 'setuptools', 'wheel')
    if full:
        build_mmcv(session, *full)
        lines = (ROOT / 'requirements' / 'runtime.txt').read_text(encoding='utf-8').splitlines()
        needed = [line.split('#')[0].strip() for line in lines if not line.startswith('mmcv-lite')]
        session.install(*needed, '-r', 'requirements/tests.txt', *wanted)
        session.install('--no-deps', '-e', '.')  # else pip puts mmcv-lite into mmcv's place
    else:
        session.install('-e', '.[tests]', *wanted)
    session.install('-r', 'requirements/crf.txt', success_codes=[0, 1])  # needs a C++ compiler


def build_mmcv(session: nox.Session, wanted: str) -> None:
    """Build the full mmcv, with its operators, from its source distribution: for the CPU alone, and not to be fast.

    Each of its C++ files takes a compiler half a minute for torch's headers: nearly all of a folder become one file.
    """
    session.install('ninja')
    folder = Path(session.create_tmp()).resolve()
    download = ('python', '-m', 'pip', 'download', '--no-deps', '--no-build-isolation', '--no-binary', 'mmcv')
    session.run_install(*download, '-d', str(folder), wanted)
    archive = next(folder.glob('mmcv-*.tar.gz'), None)
    if archive is None:  # nox --no-install
        return
    tree = folder / archive.name.removesuffix('.tar.gz')
    shutil.rmtree(tree, ignore_errors=True)
    shutil.unpack_archive(archive, folder)
    sources = tree / 'mmcv' / 'ops' / 'csrc' / 'pytorch'
    for part in (sources, sources / 'cpu'):
        files = [path for path in sorted(part.glob('*.cpp')) if str(path.relative_to(sources)) not in ALONE]
        text = '\n'.join(path.read_text(encoding='utf-8') for path in files)
        for path in files:
            path.unlink()
        (part / 'most.cpp').write_text(text, encoding='utf-8')
    session.install(
        *('--no-deps', '--no-build-isolation', '--no-cache-dir', str(tree)),
        env=dict(MMCV_WITH_OPS='1', MAX_JOBS=os.environ.get('MAX_JOBS', '2'), CFLAGS='-O1 -g0'),
    )


def tests(session: nox.Session, which: str, *more: str) -> str:
    """The last line of the suite, e.g. '1703 passed', and the names of those that failed."""
    output = session.run(
        *('python', '-m', 'pytest', '-n', '2', '-q', '-m', which, '-p', 'no:randomly', *more, *session.posargs),
        env={'OMP_NUM_THREADS': '1'},
        success_codes=[0, 1],
        silent=True,
    )
    failed = re.findall(r'^FAILED \S*::(\S+)', output, re.MULTILINE)
    counts = re.findall(r'\d+ (?:passed|failed|skipped|errors?)', output.splitlines()[-1])
    session.log(' '.join(counts + failed))
    return ', '.join(counts) + (f': {" ".join(failed)}' if failed else '')


def demo(session: nox.Session) -> dict[str, str]:
    """mIoU of the stages of the demo."""
    folder = ROOT / 'work_dirs' / f'demo-{session.name}'
    shutil.rmtree(folder, ignore_errors=True)
    session.run('python', 'tools/demo.py', '--work-dir', str(folder), env={'OMP_NUM_THREADS': '1'}, silent=True)

    def metric(run: str, stage: str, name: str) -> str:
        stages = json.loads((folder / run / 'manifest.json').read_text(encoding='utf-8'))['stages']
        return f'{stages[stage]["metrics"][name]:.1f}'

    return {
        'CAM, plain': metric('plain', 'cam', 'CAM/spotlight.best_mIoU'),
        'CAM, AMR': metric('amr', 'cam', 'CAM/weighted.best_mIoU'),
        'pseudo labels': metric('amr', 'pseudo_label', 'pseudo_label/mIoU'),
        'segmentation': metric('amr', 'evaluation', 'mIoU'),
    }


def write(row: dict[str, str]) -> None:
    """Put a row in the place of the environment's last one."""
    rows = []
    if TABLE.exists():
        with TABLE.open(newline='', encoding='utf-8') as file:
            others = [old for old in csv.DictReader(file) if old['environment'] != row['environment']]
        rows = [{name: old.get(name, '') for name in row} for old in others]
    rows = sorted([*rows, row], key=lambda one: list(ENVIRONMENTS).index(one['environment']))
    new = TABLE.with_name(f'.tmp-{TABLE.name}')
    with new.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(row), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    new.replace(TABLE)


for name, (python, _) in ENVIRONMENTS.items():
    nox.session(run, python=python, name=name, venv_backend='venv')
