"""tools/test.py as a user runs it: killed and run again, in two processes, with every switch."""

import json
import re
import signal
import sys
import types
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends import backend_agg
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from mmamr.fileio import read_cam
from mmamr.registry import MODELS
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
DEEPLABV2 = CONFIGS.parents[2] / 'configs/deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py'
CAM, FOREGROUND, AFFINITY_LABEL, IRNET, CAM_LABEL, SEGMENTATION = (
    CONFIGS / f'tiny_{name}.py'
    for name in ('amr', 'foreground', 'affinity-label', 'irnet', 'pseudo-label', 'segmentation')
)


def contents(folder):
    """Bytes of all files below a folder, logs apart."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.suffix in ('.npz', '.png') or path.name == 'settings.json'
    }


def metrics(output):
    """Names and values of the metrics that a run logged last."""
    return dict(re.findall(r'((?:CAM|label)/\S+): (\S+)', output))


@pytest.fixture
def checkpoints(tiny_config, tmp_path, monkeypatch):
    """Checkpoints of the classifier and of IRNet, with weights from a seed; later stages read the CAMs in ``cams``."""
    monkeypatch.setenv('MMAMR_TINY_CAMS', str(tmp_path / 'cams'))
    paths = {}
    for config in (CAM, FOREGROUND, IRNET):
        torch.manual_seed(0)
        paths[config] = tmp_path / f'{config.stem}.pth'
        torch.save(dict(state_dict=MODELS.build(tiny_config(config.stem).model).state_dict()), paths[config])
    return paths


@pytest.fixture
def stage(run_tool, checkpoints, tmp_path):
    """Run a stage into a folder: ``stage(CAM, 'work', kill_at=3)``."""

    def run(config, work_dir, *argv, **kwargs):
        checkpoint = [checkpoints[config]] if config in checkpoints else []
        return run_tool('test.py', config, *checkpoint, '--work-dir', tmp_path / work_dir, *argv, **kwargs)

    return run


@pytest.fixture
def cams(stage, tmp_path):
    """CAMs for the later stages."""
    ended = stage(CAM, 'made', '--out-dir', tmp_path / 'cams')
    assert ended.code == 0, ended.output


# of 12 images in 4 batches: killed before and after a file gets its name, early, late
@pytest.mark.parametrize(
    'config, kills',
    [
        (CAM, [(1, True), (6, False)]),
        (AFFINITY_LABEL, [(7, True)]),
        pytest.param(FOREGROUND, [(4, True)], marks=pytest.mark.slow),
        pytest.param(IRNET, [(4, False)], marks=pytest.mark.slow),
        pytest.param(CAM_LABEL, [(9, True)], marks=pytest.mark.slow),
    ],
    ids=['cam', 'affinity_label', 'foreground', 'walk', 'pseudo_label'],
)
def test_a_killed_run_ends_with_the_same_bytes(request, stage, tmp_path, config, kills):
    if config != CAM:
        request.getfixturevalue('cams')
    undisturbed = stage(config, 'undisturbed')
    assert undisturbed.code == 0, undisturbed.output
    expected = contents(tmp_path / 'undisturbed')
    assert len(expected) == 13
    for kill_at, placed in kills:
        before = len(contents(tmp_path / 'killed'))
        killed = stage(config, 'killed', kill_at=kill_at, placed=placed)
        assert killed.code == -signal.SIGKILL, killed.output
        leftovers = [path for path in (tmp_path / 'killed').rglob('.tmp-*')]
        assert len(leftovers) == (0 if placed else 1)
        assert before < len(contents(tmp_path / 'killed')) < len(expected)
    resumed = stage(config, 'killed')
    assert resumed.code == 0, resumed.output
    assert contents(tmp_path / 'killed') == expected
    assert not list((tmp_path / 'killed').rglob('.tmp-*'))
    assert metrics(resumed.output) == metrics(undisturbed.output) != {}


@pytest.mark.parametrize(
    'config', [CAM, FOREGROUND, AFFINITY_LABEL, IRNET], ids=['cam', 'foreground', 'affinity_label', 'walk']
)
def test_two_processes_make_the_files_of_one(request, stage, tmp_path, config):
    if config != CAM:
        request.getfixturevalue('cams')
    alone, both = stage(config, 'alone'), stage(config, 'both', '--launcher', 'pytorch', processes=2)
    assert (alone.code, both.code) == (0, 0), alone.output + both.output
    assert contents(tmp_path / 'both') == contents(tmp_path / 'alone')
    assert metrics(alone.output) != {}
    assert all(f'{name}: {value}' in both.output for name, value in metrics(alone.output).items())


NO_FORK = "import multiprocessing; multiprocessing.get_all_start_methods = lambda: ['spawn']"


@pytest.mark.slow
@pytest.mark.parametrize('config', [CAM, IRNET, CAM_LABEL], ids=['cam', 'walk', 'pseudo_label'])
def test_spawned_workers_make_the_same_files(request, stage, tmp_path, config):
    """As on Windows, where nothing is forked, neither by a data loader nor by a pool."""
    if config != CAM:
        request.getfixturevalue('cams')
    for method, before in (('fork', ''), ('spawn', NO_FORK)):
        options = ('test_dataloader.num_workers=1', f'env_cfg.mp_cfg.mp_start_method={method}')
        ended = stage(config, method, '--cfg-options', *options, before=before)
        assert ended.code == 0, ended.output
    assert contents(tmp_path / 'spawn') == contents(tmp_path / 'fork') != {}


def test_killed_in_one_process_resumed_in_two(stage, tmp_path):
    assert stage(CAM, 'undisturbed').code == 0
    assert stage(CAM, 'killed', kill_at=6, placed=False).code == -signal.SIGKILL
    resumed = stage(CAM, 'killed', '--launcher', 'pytorch', processes=2)
    assert resumed.code == 0, resumed.output
    assert contents(tmp_path / 'killed') == contents(tmp_path / 'undisturbed')


def test_amp_makes_nearly_the_same_cams(stage, tmp_path):
    full, half = stage(CAM, 'full'), stage(CAM, 'half', '--amp')
    assert (full.code, half.code) == (0, 0), half.output
    full, half = (read_cam(tmp_path / name / 'cams' / 'img_03.npz') for name in ('full', 'half'))
    difference = np.abs(full.maps['spotlight'].astype(float) - half.maps['spotlight']).max()
    assert 0 < difference < 0.1


def test_out_item(stage, tmp_path):
    ended = stage(CAM, 'work', '--out', tmp_path / 'out', '--out-item', 'metrics')
    assert ended.code == 0, ended.output
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['metrics.json']
    written = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert {name: f'{value:.4f}' for name, value in written.items()} == metrics(ended.output) != {}
    ended = stage(CAM, 'work', '--out', tmp_path / 'out', '--out-item', 'pred', '--no-pin-memory')
    assert ended.code == 0 and len(list((tmp_path / 'out').glob('*.npz'))) == 12, ended.output
    ended = stage(
        CAM,
        'work',
        '--out',
        tmp_path / 'none',
        '--out-item',
        'metrics',
        '--cfg-options',
        'test_dataloader.dataset.mask_dir=None',
    )
    assert ended.code == 1 and 'Traceback' not in ended.output and not (tmp_path / 'none').exists()
    assert ended.output.splitlines()[-1].startswith('--out-item metrics: nothing was measured')


@pytest.mark.parametrize(
    'config, columns',
    [(CAM, 5), (AFFINITY_LABEL, 4), pytest.param(IRNET, 7, marks=pytest.mark.slow), (CAM_LABEL, 4)],
    ids=['cam', 'affinity_label', 'walk', 'pseudo_label'],
)
def test_show_dir(request, stage, tmp_path, config, columns):
    name = {CAM: 'cams', AFFINITY_LABEL: 'affinity_labels', IRNET: 'walks'}.get(config, 'SegmentationClassPseudo')
    if config != CAM:
        request.getfixturevalue('cams')
    ended = stage(config, 'work', '--show-dir', tmp_path / 'shown')
    assert ended.code == 0, ended.output
    assert f'{tmp_path}/shown/{name}.png' in ended.output
    with Image.open(tmp_path / 'shown' / f'{name}.png') as sheet:
        assert 256 * columns < sheet.width < 256 * (columns + 1) and sheet.height > 8 * 100


def test_interval(stage, tmp_path):
    ended = stage(CAM, 'work', '--show-dir', tmp_path / 'shown', '--interval', '5')
    assert ended.code == 0, ended.output
    assert sorted(path.name for path in (tmp_path / 'shown').iterdir()) == ['img_00.png', 'img_05.png', 'img_10.png']


@pytest.fixture
def screen(monkeypatch):
    """A backend of matplotlib that says it has windows: gives what was shown in them and for how long."""
    shown = []
    backend = types.ModuleType('screen_of_tests')

    class Canvas(backend_agg.FigureCanvasAgg):
        def start_event_loop(self, timeout=0):
            shown.append((self.manager.title, timeout))

    class Manager(FigureManagerBase):
        def set_window_title(self, title):
            self.title = title

        def show(self):
            pass

    Canvas.manager_class = Manager
    backend.FigureCanvas, backend.FigureManager = Canvas, Manager
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    before = plt.get_backend()
    plt.switch_backend(f'module://{backend.__name__}')
    yield shown
    plt.switch_backend(before)


@pytest.fixture
def show(load_tool, checkpoints, tiny_voc, tmp_path, monkeypatch):
    """Run a config with ``--show`` in this process."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))

    def run(config, checkpoint, *argv):
        load_tool('test.py').main(
            [
                str(config),
                str(checkpoint),
                '--work-dir',
                str(tmp_path / 'work'),
                '--show',
                *argv,
                '--cfg-options',
                'log_level=ERROR',
                f'experiment_name={tmp_path.name}',
            ]
        )

    return run


def test_show_cams(screen, show, checkpoints, tmp_path):
    show(CAM, checkpoints[CAM], '--wait-time', '0.5', '--interval', '6', '--show-dir', str(tmp_path / 'shown'))
    assert screen == [('img_00', 0.5), ('img_06', 0.5)]
    assert sorted(path.name for path in (tmp_path / 'shown').iterdir()) == ['img_00.png', 'img_06.png']


@pytest.fixture
def segmentation(tiny_config, tmp_path):
    """Checkpoint of a tiny DeepLab-v2."""
    cfg = tiny_config('tiny_segmentation')
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'segmentation.pth')
    return tmp_path / 'segmentation.pth'


def test_show_segmentation(screen, show, segmentation, tmp_path):
    show(SEGMENTATION, segmentation, '--interval', '3', '--show-dir', str(tmp_path / 'shown'))
    assert screen == [('img_08', 2.0), ('img_11', 2.0)]
    assert sorted(path.name for path in (tmp_path / 'shown').iterdir()) == ['img_08.png', 'img_11.png']


def test_show_dir_of_segmentation(run_tool, segmentation, tiny_voc, tmp_path):
    masks, shown = tmp_path / 'masks', tmp_path / 'shown'
    ended = run_tool(
        'test.py',
        SEGMENTATION,
        segmentation,
        '--work-dir',
        tmp_path / 'work',
        '--out',
        masks,
        '--show-dir',
        shown,
        '--launcher',
        'pytorch',
        env={'MMAMR_TINY_VOC': str(tiny_voc)},
        processes=2,
    )
    assert ended.code == 0, ended.output
    for folder in (masks, shown):
        assert sorted(path.name for path in folder.iterdir()) == [f'img_{i:02d}.png' for i in range(8, 12)]


def test_show_without_a_screen(show, checkpoints):
    with pytest.raises(SystemExit, match=r'^--show cannot open a window: .* use --show-dir DIR instead[^\n]*$'):
        show(CAM, checkpoints[CAM])


@pytest.mark.parametrize(
    'argv',
    [
        ('--out-item', 'metrics'),
        ('--show', '--wait-time', '-1'),
        ('--show', '--interval', '0'),
        ('--interval', '3'),
        ('--out', 'a', '--out-item', 'both'),
    ],
)
def test_switches_that_do_not_fit_together(load_tool, capsys, argv):
    with pytest.raises(SystemExit) as caught:
        load_tool('test.py').parse_args([str(CAM), 'x.pth', *argv])
    assert caught.value.code == 2 and argv[-2 if len(argv) > 1 else 0] in capsys.readouterr().err


def test_switches_of_segmentation(load_tool):
    config = str(DEEPLABV2)
    tool = load_tool('test.py')

    def merge(*argv):
        return tool.merge_args(Config.fromfile(config), tool.parse_args([config, 'x.pth', *argv]))

    cfg = merge('--tta', '--out', 'masks', '--show-dir', 'shown', '--no-pin-memory')
    assert cfg.test_evaluator.output_dir == 'masks' and cfg.test_evaluator.prefix == 'ms_flip'
    assert cfg.model.type == 'mmamr.TestTimeSegmentor'
    assert cfg.default_hooks.visualization == dict(
        type='mmamr.PredictionPictureHook', out_dir='shown', show=False, wait_time=2, interval=1
    )
    assert cfg.test_dataloader.pin_memory is False


def test_switches_that_mean_nothing(load_tool, tmp_path):
    tool = load_tool('test.py')
    other, pipeline = tmp_path / 'other.py', CONFIGS / 'tiny_pipeline.py'
    other.write_text("test_cfg = dict(type='TestLoop')\n")
    for config, argv, line in (
        (CAM, ['--tta'], '--tta is for segmentation configs'),
        (other, ['--show-dir', 'shown'], '--show and --show-dir mean nothing to this config'),
        (other, ['--out', 'a'], '--out means nothing to this config'),
        (pipeline, [], 'tiny_pipeline.py is a pipeline: tools/train.py runs all its stages'),
    ):
        with pytest.raises(InputError, match=line):
            tool.merge_args(Config.fromfile(config), tool.parse_args([str(config), 'x.pth', *argv]))


def test_switch_that_the_loop_does_not_have(load_tool, tmp_path):
    with pytest.raises(SystemExit, match='--amp means nothing to this config: its test loop is AffinityLabelLoop'):
        load_tool('test.py').main([str(AFFINITY_LABEL), '--work-dir', str(tmp_path / 'work'), '--amp'])


def test_amp_of_another_loop(load_tool, tmp_path):
    tool = load_tool('test.py')
    config = tmp_path / 'segmentation.py'
    config.write_text(
        "default_scope = 'mmseg'\nmodel = dict(type='EncoderDecoder')\ntest_cfg = dict(type='TestLoop')\n"
    )
    args = tool.parse_args([str(config), 'a.pth', '--amp'])
    cfg = tool.merge_args(tool.Config.fromfile(config), args)
    assert cfg.test_cfg == dict(type='TestLoop', fp16=True)
    assert cfg.load_from == 'a.pth' and cfg.work_dir == './work_dirs/segmentation'


@pytest.fixture
def bad_line(load_tool, checkpoints, tiny_voc, tmp_path, monkeypatch):
    """The line that a stage ends with, run in this process."""
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))

    def run(*options, config=CAM, checkpoint=checkpoints[CAM]):
        options = ['log_level=ERROR', f'experiment_name={tmp_path.name}_{len(options)}', *options]
        with pytest.raises(SystemExit) as caught:
            load_tool('test.py').main(
                [
                    str(config),
                    *([str(checkpoint)] if checkpoint else []),
                    '--work-dir',
                    str(tmp_path / 'work'),
                    '--cfg-options',
                    *options,
                ]
            )
        assert isinstance(caught.value.code, str) and '\n' not in caught.value.code
        return caught.value.code

    return run


def test_missing_file_ends_with_one_line(bad_line, checkpoints, tmp_path):
    assert 'no-such.pth' in bad_line(checkpoint=tmp_path / 'no-such.pth')
    assert 'no-such.py' in bad_line(config='no-such.py')
    assert 'has a model, so it needs a checkpoint' in bad_line(checkpoint=None)
    assert f'no folder {tmp_path}/nowhere: run the stage' in bad_line(
        f'test_cfg.cam_dir={tmp_path}/nowhere', config=IRNET, checkpoint=checkpoints[IRNET]
    )


def test_masks_are_not_overwritten(bad_line, cams, tiny_voc):
    masks = contents(tiny_voc)
    assert 'so this stage did not make them' in bad_line(
        f'test_cfg.out_dir={tiny_voc}/SegmentationClass', config=AFFINITY_LABEL, checkpoint=None
    )
    assert contents(tiny_voc) == masks


def test_bad_photo_ends_with_one_line(bad_line, tiny_voc):
    photo = tiny_voc / 'JPEGImages' / 'img_07.jpg'
    photo.write_bytes(photo.read_bytes()[:400])
    assert bad_line().startswith(f'{photo}: truncated or broken image')
    photo.unlink()
    assert bad_line().startswith(f'{photo}: no such image')


def test_bad_cam_in_a_worker_ends_with_one_line(stage, cams, tmp_path):
    (tmp_path / 'cams' / 'img_05.npz').write_bytes(b'PK')
    ended = stage(AFFINITY_LABEL, 'work', '--cfg-options', 'test_dataloader.num_workers=1', 'log_level=ERROR')
    assert ended.code == 1 and 'Traceback' not in ended.output, ended.output
    assert ended.output.splitlines()[-1].startswith(f'{tmp_path}/cams/img_05.npz is not a CAM file (')


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda state: {}, 'does not fit AMRClassifier: '),
        (
            lambda state: {name: value for name, value in state.items() if 'head' not in name},
            '2 weights are missing, 0',
        ),
        (lambda state: {**state, 'decode_head.weight': torch.zeros(1)}, '0 weights are missing, 1 are not the model'),
        (lambda state: {**state, 'spotlight.head.conv.weight': torch.zeros(5, 32, 1, 1)}, 'size mismatch'),
        (
            lambda state: {name: value * float('nan') if 'head' in name else value for name, value in state.items()},
            'holds what is no finite number in 2 weights (spotlight.head',
        ),
    ],
    ids=['empty', 'parts', 'of_another_model', 'of_other_classes', 'nan'],
)
def test_a_checkpoint_must_fit(load_tool, checkpoints, tiny_voc, tmp_path, spoil, message):
    state = torch.load(checkpoints[CAM], weights_only=True)['state_dict']
    torch.save(dict(state_dict=spoil(state)), tmp_path / 'wrong.pth')
    argv = [str(CAM), str(tmp_path / 'wrong.pth'), '--work-dir', str(tmp_path / 'work')]
    with pytest.raises(SystemExit) as ended:
        load_tool('test.py').main([*argv, '--cfg-options', f'experiment_name={tmp_path.name}', 'log_level=ERROR'])
    line = str(ended.value)
    assert message in line and line.startswith(f'{tmp_path}/wrong.pth ') and '\n' not in line
    assert not (tmp_path / 'work' / 'cams').exists()
