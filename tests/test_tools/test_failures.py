"""What the machine can do to a run: one line, no traceback, and nothing half-written that the next run believes."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmamr.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'data' / 'configs' / 'tiny_amr.py'
LIMIT = 100_000
"""Bytes of a file that may be written where the disk is full; logs are smaller."""
FULL_DISK = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
"""
DEAD_WORKER = """
from torch.utils.data import get_worker_info
from mmamr.datasets.transforms import LoadImage
transform = LoadImage.transform
def die(self, results):
    if get_worker_info() is not None and results['img_id'] == 'img_05':
        os.kill(os.getpid(), signal.SIGKILL)
    return transform(self, results)
LoadImage.transform = die
"""
FULL_GPU = """
forward, calls = torch.nn.Conv2d.forward, []
def fail(self, *args, **kwargs):
    calls.append(self)
    if len(calls) > 100:
        raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')
    return forward(self, *args, **kwargs)
torch.nn.Conv2d.forward = fail
"""
# workers hand over their batches in files, too
FAILURES = [
    (FULL_DISK, 0, 'the file is larger than this disk or your limit (ulimit -f) allows; raise it and run the same'),
    (DEAD_WORKER, 1, 'a worker of the data loader died; lower num_workers or batch_size if memory is short'),
    (FULL_GPU, 0, 'out of memory; lower the batch size, the image size or the number of workers (CUDA out of memory.'),
]


@pytest.fixture
def env(tiny_voc):
    """The data set, with one photograph whose CAM file is larger than :data:`LIMIT`."""
    for folder, suffix in (('JPEGImages', 'jpg'), ('SegmentationClass', 'png')):
        path = tiny_voc / folder / f'img_04.{suffix}'
        with Image.open(path) as image:
            image.resize((900, 900), Image.Resampling.NEAREST).save(path)
    return {'MMAMR_TINY_VOC': str(tiny_voc)}


def check_line(ended, line):
    """The process ended with this line and none of Python's own."""
    last = ended.output.strip().splitlines()[-1]
    assert ended.code == 1 and 'Traceback' not in ended.output and line in last, ended.output


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_cams(run_tool, env, tmp_path, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', env['MMAMR_TINY_VOC'])
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(CONFIG).model).state_dict()), tmp_path / 'weights.pth')

    def run(work_dir, workers=0, **kwargs):
        return run_tool(
            'test.py',
            CONFIG,
            tmp_path / 'weights.pth',
            '--work-dir',
            tmp_path / work_dir,
            '--cfg-options',
            f'test_dataloader.num_workers={workers}',
            env=env,
            **kwargs,
        )

    assert run('undisturbed').code == 0
    expected = files(tmp_path / 'undisturbed' / 'cams')
    assert max(map(len, expected.values())) > LIMIT
    for before, workers, line in FAILURES:
        check_line(run('work', workers, before=before), line)
        # nothing but whole files
        made = files(tmp_path / 'work' / 'cams')
        if before == DEAD_WORKER:
            # the death interrupts the main process at any point, also before a temporary file is sure to be removed
            made = {name: content for name, content in made.items() if not name.startswith('.tmp-')}
        assert len(made) < len(expected) and all(expected[name] == content for name, content in made.items())
    assert run('work').code == 0
    assert files(tmp_path / 'work' / 'cams') == expected


@pytest.mark.slow
def test_training(run_tool, env, tmp_path):

    def run(work_dir, workers=0, **kwargs):
        return run_tool(
            'train.py',
            CONFIG,
            '--work-dir',
            tmp_path / work_dir,
            '--resume',
            '--cfg-options',
            f'train_dataloader.num_workers={workers}',
            'train_dataloader.dataset.pipeline.2.prob=0.',
            env=env,
            **kwargs,
        )

    def weights(work_dir):
        return torch.load(tmp_path / work_dir / 'epoch_2.pth', weights_only=True)['state_dict']

    assert run('undisturbed').code == 0
    half = tmp_path / 'work' / 'epoch_1.pth'
    for before, workers, line in FAILURES:
        check_line(run('work', workers, before=before), line)
        assert half.exists()
        assert before != FULL_DISK or half.stat().st_size == LIMIT
    resumed = run('work')
    assert resumed.code == 0, resumed.output
    assert all(torch.equal(value, weights('undisturbed')[name]) for name, value in weights('work').items())


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_a_folder_that_cannot_be_made(run_tool, env, tmp_path, tool):
    (tmp_path / 'file').write_text('')
    checkpoint = ['some.pth'] if tool == 'test.py' else []
    ended = run_tool(tool, CONFIG, *checkpoint, '--work-dir', tmp_path / 'file' / 'work', env=env)
    check_line(ended, f'{tmp_path}/file/work: Not a directory; choose a folder that you may write')


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 400 KiB; skipped where nobody may mount one."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    try:
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('no file system may be mounted here')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def test_a_disk_that_is_full(run_tool, env, small_disk):
    """CAMs that others made become labels, until not even the log has room."""
    cams = small_disk.parent / 'cams'
    from mmamr.fileio import write_cam
    from mmamr.structures import CAM

    for index in range(12):
        path = Path(env['MMAMR_TINY_VOC'], 'SegmentationClass', f'img_{index:02d}.png')
        mask = np.asarray(Image.open(path))
        maps = np.random.default_rng(index).random((1, -(-mask.shape[0] // 4), -(-mask.shape[1] // 4)))
        write_cam(str(cams / f'img_{index:02d}.npz'), CAM(dict(spotlight=maps), [index % 3], mask.shape))
    argv = [
        'test.py',
        CONFIG.with_name('tiny_pseudo-label.py'),
        '--work-dir',
        small_disk / 'work',
        '--cfg-options',
        f'test_cfg.cam_dir={cams}',
    ]
    filler = small_disk / 'filler'
    filler.write_bytes(bytes(330_000))
    check_line(run_tool(*argv, env=env), 'the disk is full; make room and run the same command again')
    assert not list(small_disk.rglob('.tmp-*'))
    filler.unlink()
    ended = run_tool(*argv, env=env)
    assert ended.code == 0, ended.output
    assert len(list((small_disk / 'work' / 'SegmentationClassPseudo').glob('*.png'))) == 12
