"""Fixtures shared by all tests: data sets of a few made-up photos, drawn in milliseconds."""

import contextlib
import importlib.util
import itertools
import multiprocessing
import multiprocessing.process
import os
import os.path as osp
import random
import runpy
import signal
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

# The tests count on the CPU: one number for every machine, and forked processes cannot share a GPU. What needs a GPU is
# marked, and run by `make test-gpu`.
if os.environ.get('MMAMR_TEST_GPU') != '1':
    os.environ['CUDA_VISIBLE_DEVICES'] = ''

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from PIL import Image

import mmamr  # noqa: F401  it cures the stack before a test imports mmseg

# as `make test` has it: how sums round depends on the number of threads, and processes that tests fork have one
torch.set_num_threads(1)

CLASSES = ('disc', 'square', 'cross')
SIZES = ((48, 64), (64, 48), (56, 56), (40, 72))


def draw_shape(name: str, size: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    """A boolean mask ``(H, W)`` of one of :data:`CLASSES`."""
    y, x = np.mgrid[: size[0], : size[1]]
    dy, dx = abs(y - centre[0]), abs(x - centre[1])
    if name == 'disc':
        return dy**2 + dx**2 <= radius**2
    if name == 'square':
        return np.maximum(dy, dx) <= 0.85 * radius
    return (np.maximum(dy, dx) <= radius) & (np.minimum(dy, dx) <= radius / 3)


def write_voc_image(
    root: Path,
    img_id: str,
    labels: Sequence[int],
    size: tuple[int, int],
    mask_values: Sequence[int],
    rng: np.random.Generator,
    difficult: Sequence[int] = (),
) -> None:
    """Draw one photo with its mask and annotation; ``difficult`` names the labels that are marked so."""
    colours = np.array([[200, 60, 50], [60, 180, 70], [60, 80, 210]])
    photo = rng.integers(90, 150, (*size, 3))
    mask = np.zeros(size, dtype=np.uint8)
    objects = []
    for place, label in enumerate(labels):
        radius = min(size) / (4 if len(labels) > 1 else 3)
        centre = (size[0] * (place + 1) / (len(labels) + 1), size[1] * (place + 1) / (len(labels) + 1))
        outer = draw_shape(CLASSES[label], size, centre, radius + 1)
        inner = draw_shape(CLASSES[label], size, centre, radius)
        photo[inner] = colours[label] + rng.integers(-30, 30, (int(inner.sum()), 3))
        mask[outer] = 255
        mask[inner] = mask_values[label]
        objects.append(
            f'<object><name>{CLASSES[label]}</name><difficult>{int(label in difficult)}</difficult></object>'
        )
    Image.fromarray(photo.astype(np.uint8)).save(root / 'JPEGImages' / f'{img_id}.jpg', quality=95)
    png = Image.fromarray(mask)
    png.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tolist())
    png.save(root / 'SegmentationClass' / f'{img_id}.png')
    (root / 'Annotations' / f'{img_id}.xml').write_text(
        f'<annotation><filename>{img_id}.jpg</filename>{"".join(objects)}</annotation>\n'
    )


def draw_voc(
    root: Path,
    num_images: int = 12,
    num_val: int = 4,
    mask_values: Sequence[int] = (1, 2, 3),
    sizes: Sequence[tuple[int, int]] = SIZES,
) -> Path:
    """Draw a VOC-layout data set of tinted shapes on noise; the same pixels at every call.

    Image ``i`` is called ``img_<i, two digits>``, has the size ``sizes[i % len(sizes)]`` as ``(H, W)``, shows class
    ``i % 3`` and, where ``i`` is a multiple of 4, class ``(i + 1) % 3`` too, which the annotation marks as difficult.
    Masks have a border of 255.

    Args:
        root (Path): Folder to fill with ``JPEGImages``, ``SegmentationClass``, ``Annotations`` and
            ``ImageSets/Segmentation/{train,val,trainval}.txt``.
        num_images (int): Images in both lists together. Defaults to 12.
        num_val (int): How many of them, the last, are in ``val.txt``. Defaults to 4.
        mask_values (Sequence[int]): Values of disc, square and cross in the masks. Defaults to (1, 2, 3).
        sizes (Sequence[tuple]): Image sizes in turn. Defaults to four small ones.

    Returns:
        Path: ``root``.
    """
    for folder in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    ids: list[str] = []
    for i in range(num_images):
        ids.append(f'img_{i:02d}')
        extra = [(i + 1) % 3] if i % 4 == 0 else []
        write_voc_image(root, ids[-1], [i % 3, *extra], sizes[i % len(sizes)], mask_values, rng, difficult=extra)
    split = len(ids) - num_val
    for name, part in (('train', ids[:split]), ('val', ids[split:]), ('trainval', ids)):
        (root / 'ImageSets' / 'Segmentation' / f'{name}.txt').write_text(''.join(f'{i}\n' for i in part))
    return root


@pytest.fixture
def make_voc(tmp_path: Path) -> Callable[..., Path]:
    """:func:`draw_voc` into ``tmp_path / name``: ``make_voc('mine', num_images=3)``."""

    def make(name: str = 'voc', **kwargs) -> Path:
        return draw_voc(tmp_path / name, **kwargs)

    return make


@pytest.fixture
def tiny_voc(make_voc: Callable[..., Path]) -> Path:
    """Path of a VOC-layout data set of 12 photos (8 train, 4 val) of four sizes, classes disc, square and cross.

    See :func:`draw_voc` for what is in it. Each test gets a copy of its own, so a test may break files in it.
    """
    return make_voc()


@pytest.fixture(scope='session')
def shared_voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of :func:`tiny_voc`, once for all tests: none of them may change it."""
    return draw_voc(tmp_path_factory.mktemp('shared') / 'voc')


@pytest.fixture(scope='session')
def voc_animals() -> str:
    """Path of the photos of ``voc-animals``; tests that ask for it are skipped where they are not."""
    path = os.environ.get('MMAMR_VOC_ANIMALS', osp.join('..', 'shared', 'data', 'voc-animals'))
    if not osp.isdir(path):
        pytest.skip(f'no photos at {path}; set MMAMR_VOC_ANIMALS')
    return osp.abspath(path)


@pytest.fixture(scope='session')
def load_tool() -> Callable[[str], ModuleType]:
    """Import a script by its path below ``tools/``: ``load_tool('dataset_converters/sbd.py').main([...])``."""

    def load(path: str) -> ModuleType:
        file = Path(__file__).parents[1] / 'tools' / path
        spec = importlib.util.spec_from_file_location(f'tool_{file.stem}', file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # functions of the script are sent to worker processes by name
        spec.loader.exec_module(module)
        return module

    return load


CONFIGS = Path(__file__).parent / 'data' / 'configs'


@pytest.fixture
def tiny_config(tiny_voc: Path, tmp_path: Path, monkeypatch) -> Callable:
    """Load a config of ``tests/data/configs`` for :func:`tiny_voc`: ``tiny_config('tiny_amr', 'work', {'a.b': 1})``."""
    from mmengine.config import Config

    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    # the Runner prints its config twice; making that pretty takes longer than a tiny run
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, *args, **kwargs: (text, True))

    def load(name: str, work_dir: str = 'work', options: dict | None = None) -> Config:
        cfg = Config.fromfile(CONFIGS / f'{name}.py')
        load.count += 1
        cfg.merge_from_dict(
            {
                'work_dir': str(tmp_path / work_dir),
                'experiment_name': f'{tmp_path.name}_{load.count}',
                'log_level': 'WARNING',
                **(options or {}),
            }
        )
        return cfg

    load.count = 0
    return load


@pytest.fixture
def write_cams(tiny_config: Callable, tmp_path: Path) -> Callable[..., str]:
    """Write CAMs that are right but for their coarse grid: the spotlight's are the upper halves of the masks.

    ``write_cams()`` returns the folder; ``branches`` names those to write.
    """
    from mmamr.datasets import init_dataset
    from mmamr.fileio import read_mask, write_cam
    from mmamr.structures import CAM, strided_size

    def write(name: str = 'cams', branches=('spotlight', 'compensation')) -> str:
        dataset = init_dataset(tiny_config('tiny_amr'))
        for index in range(len(dataset)):
            item = dataset.get_data_info(index)
            mask = read_mask(item['seg_map_path'], dataset.class_index)
            whole = np.stack([mask == label + 1 for label in item['gt_label']]).astype(np.float32)
            maps = dict(spotlight=whole.copy(), compensation=whole, walk=whole)
            maps['spotlight'][:, mask.shape[0] // 2 :] = 0
            maps = {branch: maps[branch][:, ::4, ::4] for branch in branches}
            assert all(one.shape[1:] == strided_size(mask.shape) for one in maps.values())
            write_cam(str(tmp_path / name / f'{item["img_id"]}.npz'), CAM(maps, np.array(item['gt_label']), mask.shape))
        return str(tmp_path / name)

    return write


class Trained(NamedTuple):
    """Checkpoints as a training leaves them behind, of tiny models with random weights."""

    segmentation: str
    classifier: str
    photos: str
    """Folder of the photos of :func:`shared_voc`."""


@pytest.fixture(scope='session')
def trained(shared_voc: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A segmentation model and a classifier for :func:`shared_voc` whose predictions vary, written by mmengine."""
    from mmengine.config import Config
    from mmengine.runner import Runner

    paths = []
    for name, heads in (('tiny_segmentation', 'decode_head'), ('tiny_amr', 'head')):
        work_dir = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch, DefaultScope.overwrite_default_scope(None):
            patch.setenv('MMAMR_TINY_VOC', str(shared_voc))
            cfg = Config.fromfile(CONFIGS / f'{name}.py')
            cfg.merge_from_dict(dict(work_dir=str(work_dir), experiment_name=work_dir.name, log_level='ERROR'))
            if name == 'tiny_segmentation':
                cfg.train_dataloader.dataset.label_dir = str(shared_voc / 'SegmentationClass')
            cfg.dump(str(work_dir / f'{name}.py'))
            patch.setattr(DefaultScope, '_instance_dict', OrderedDict())
            runner = Runner.from_cfg(cfg)
            runner._train_loop = runner.build_train_loop(runner._train_loop)
            generator = torch.Generator().manual_seed(0)
            for module_name, parameter in runner.model.named_parameters():
                if heads in module_name.split('.'):
                    weight = torch.randn(parameter.shape, generator=generator)
                    # without a part that all pixels share, so that no class is everywhere
                    mean = weight.flatten(1).mean(1).view(-1, 1, 1, 1) if weight.ndim == 4 else weight
                    parameter.data.copy_(weight - mean)
            runner.save_checkpoint(str(work_dir), 'last.pth', save_optimizer=False, save_param_scheduler=False)
        paths.append(str(work_dir / 'last.pth'))
    return Trained(*paths, str(shared_voc / 'JPEGImages'))


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    output: str


def send_signal(process: multiprocessing.process.BaseProcess, number: int, seconds: float, everybody: bool) -> None:
    """Send a signal to a tool some seconds after it began to handle signals, or to its children, too."""
    status, children = Path(f'/proc/{process.pid}/status'), Path(f'/proc/{process.pid}/task/{process.pid}/children')
    try:
        # Python handles SIGINT from the start, SIGTERM where somebody asks for it
        while process.is_alive() and not _handles(status.read_text(), signal.SIGTERM):
            time.sleep(0.005)
        time.sleep(seconds)
        pids = [process.pid, *(map(int, children.read_text().split()) if everybody else ())]
    except FileNotFoundError:
        return
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _handles(status: str, number: int) -> bool:
    caught = next((line for line in status.splitlines() if line.startswith('SigCgt:')), 'SigCgt: 0')
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.fixture(scope='session')
def free_port() -> Callable[[], int]:
    """Return a port of this machine that nobody listens at, below those that the kernel hands out by itself.

    Other workers of pytest, and other runs, draw at the same time; a draw is not one of the tests' random numbers.
    """
    draw = random.SystemRandom()

    def port() -> int:
        while True:
            number = draw.randrange(20000, 32000)
            with socket.socket() as probe:
                try:
                    probe.bind(('', number))
                except OSError:
                    continue
            return number

    return port


LIMIT = 500
"""Seconds that a tool may take in a test: what takes ten on an idle machine may take minutes beside other work."""


@pytest.fixture(scope='session')
def run_tool(tmp_path_factory, free_port) -> Callable[..., Ended]:
    """Run a script of ``tools/`` in one or several processes of its own: ``run_tool('test.py', 'config.py', …)``.

    The processes are forked from one that has imported everything, which saves seconds. Keywords: ``env``; ``kill_at``,
    ``placed`` and ``before``, see ``data/run_tool.py``; ``processes``, which find each other as under torchrun;
    ``signal_at``, see :func:`send_signal`.
    """
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context('forkserver' if 'forkserver' in methods else 'spawn')
    context.set_forkserver_preload(
        [
            'mmamr.models',
            'mmamr.datasets',
            'mmamr.engine',
            'mmamr.evaluation',
            'mmamr.visualization',
            'torch.distributed',
            'matplotlib.pyplot',
            'mmengine.runner',
            'yapf.yapflib.yapf_api',
            'PIL.JpegImagePlugin',
            'PIL.PngImagePlugin',
        ]
    )
    logs = tmp_path_factory.mktemp('logs')
    driver = str(Path(__file__).parent / 'data' / 'run_tool.py')
    tools = Path(__file__).parents[1] / 'tools'

    def run(
        tool: str,
        *argv,
        env: dict | None = None,
        kill_at: int = 0,
        placed: bool = True,
        before: str = '',
        processes: int = 1,
        signal_at: tuple[int, float, bool] | None = None,
    ) -> Ended:
        count = next(run.counter)
        running = []
        meeting_point = free_port() if processes > 1 else 0
        for rank in range(processes):
            log = logs / f'{count}_{rank}.txt'
            variables = dict(os.environ, **(env or {}))
            if processes > 1:
                variables.update(
                    RANK=str(rank),
                    LOCAL_RANK=str(rank),
                    WORLD_SIZE=str(processes),
                    MASTER_ADDR='127.0.0.1',
                    MASTER_PORT=str(meeting_point),
                )
            given = dict(
                TOOL=str(tools / tool),
                ARGV=[str(arg) for arg in argv],
                LOG=str(log),
                ENV=variables,
                KILL_AT=kill_at,
                PLACED=placed,
                BEFORE=before,
            )
            process = context.Process(target=runpy.run_path, args=(driver, given))
            process.start()
            running.append((process, log))
        if signal_at is not None:
            send_signal(running[0][0], *signal_at)
        end, late = time.monotonic() + LIMIT, ''
        for process, _ in running:
            process.join(timeout=max(end - time.monotonic(), 0))
            if process.exitcode is None:
                late = f'killed by the test after {LIMIT} s\n'
            process.kill()
            process.join()
        return Ended(
            next((process.exitcode for process, _ in running if process.exitcode), 0),
            ''.join(log.read_text() for _, log in running if log.exists()) + late,
        )

    run.counter = itertools.count(1)
    return run


@pytest.fixture(autouse=True)
def gpu(request: pytest.FixtureRequest) -> None:
    """Skip what needs a GPU where there is none."""
    if request.node.get_closest_marker('gpu') and not torch.cuda.is_available():
        pytest.skip('needs a GPU: make test-gpu')


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Start each test from the seed of the run: pytest-randomly sets those of Python and NumPy, and this PyTorch's."""
    torch.manual_seed(request.config.getoption('randomly_seed', 0))


@pytest.fixture(autouse=True)
def no_default_scope(monkeypatch) -> None:
    """Start each test without a default scope: a runner leaves its own behind, and types are then looked up there."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder; of a file ``cut-*`` half of what its header promises."""

    def log_message(self, *args) -> None:
        pass

    def copyfile(self, source, outputfile) -> None:
        data = source.read()
        outputfile.write(data[: len(data) // 2] if '/cut-' in self.path else data)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch) -> Iterator[str]:
    """The address of a server of the folder ``served``; what is downloaded goes to ``hub/checkpoints``."""
    (tmp_path / 'served').mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    handler = partial(QuietHandler, directory=str(tmp_path / 'served'))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
