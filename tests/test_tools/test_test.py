"""tools/test.py as a user runs it: killed and run again, in two processes, with every switch."""
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmamr.cams import read_cam
from mmamr.registry import MODELS
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
DEEPLABV2 = CONFIGS.parents[2] / 'configs/deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py'
CAM, AFFINITY_LABEL, IRNET = (CONFIGS / f'tiny_{name}.py' for name in ('amr', 'affinity-label', 'irnet'))


def contents(folder):
    """Bytes of all files below a folder, logs apart."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*')) if path.suffix in ('.npz', '.png') or path.name == 'settings.json'
    }


def metrics(output):
    """Names and values of the metrics that a run logged last."""
    return dict(re.findall(r'((?:CAM|label)/\S+): (\S+)', output))


@pytest.fixture
def checkpoints(tiny_config, tmp_path, monkeypatch):
    """Checkpoints of the classifier and of IRNet, with weights from a seed; later stages read the CAMs in ``cams``."""
    monkeypatch.setenv('MMAMR_TINY_CAMS', str(tmp_path / 'cams'))
    paths = {}
    for config in (CAM, IRNET):
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


# of 12 images in 4 batches: killed before and after a file gets its name, early, late, in the second folder
@pytest.mark.parametrize('config, kills', [
    (CAM, [(1, True), (6, False)]),
    (AFFINITY_LABEL, [(7, True)]),
    (IRNET, [(4, False), (17, True)]),
], ids=['cam', 'affinity_label', 'pseudo_label'])
def test_a_killed_run_ends_with_the_same_bytes(request, stage, tmp_path, config, kills):
    if config != CAM:
        request.getfixturevalue('cams')
    undisturbed = stage(config, 'undisturbed')
    assert undisturbed.code == 0, undisturbed.output
    expected = contents(tmp_path / 'undisturbed')
    assert len(expected) == (26 if config == IRNET else 13)
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


@pytest.mark.parametrize('config', [CAM, AFFINITY_LABEL, IRNET], ids=['cam', 'affinity_label', 'pseudo_label'])
def test_two_processes_make_the_files_of_one(request, stage, tmp_path, config):
    if config != CAM:
        request.getfixturevalue('cams')
    alone, both = stage(config, 'alone'), stage(config, 'both', '--launcher', 'pytorch', processes=2)
    assert (alone.code, both.code) == (0, 0), alone.output + both.output
    assert contents(tmp_path / 'both') == contents(tmp_path / 'alone')
    assert metrics(alone.output) != {}
    assert all(f'{name}: {value}' in both.output for name, value in metrics(alone.output).items())


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


def test_show_dir_draws_cams(stage, tmp_path):
    ended = stage(CAM, 'work', '--show-dir', tmp_path / 'shown')
    assert ended.code == 0, ended.output
    with Image.open(tmp_path / 'shown' / 'cams.png') as sheet:
        assert sheet.width > 5 * 200 and sheet.height > 8 * 100


def test_switches_of_segmentation(load_tool, tmp_path):
    config = str(DEEPLABV2)
    tool = load_tool('test.py')
    args = tool.parse_args([config, 'x.pth', '--tta', '--out', 'masks', '--show-dir', 'shown'])
    cfg = tool.merge_args(Config.fromfile(config), args)
    assert cfg.test_evaluator.output_dir == 'masks' and cfg.test_evaluator.prefix == 'ms_flip'
    assert cfg.model.type == 'mmamr.TestTimeSegmentor'
    assert cfg.default_hooks.visualization.draw and cfg.visualizer.save_dir == 'shown'


@pytest.mark.parametrize('switch', [('--tta', ), ('--show-dir', 'shown')])
def test_switches_of_other_stages(load_tool, switch):
    tool = load_tool('test.py')
    config = str(IRNET if '--show-dir' in switch else CAM)
    with pytest.raises(InputError, match=switch[0]):
        tool.merge_args(Config.fromfile(config), tool.parse_args([config, 'x.pth', *switch]))


def test_switch_that_the_loop_does_not_have(load_tool, tmp_path):
    with pytest.raises(SystemExit, match='--amp means nothing to this config: its test loop is AffinityLabelLoop'):
        load_tool('test.py').main([str(AFFINITY_LABEL), '--work-dir', str(tmp_path / 'work'), '--amp'])


def test_amp_of_another_loop(load_tool, tmp_path):
    tool = load_tool('test.py')
    config = tmp_path / 'segmentation.py'
    config.write_text("default_scope = 'mmseg'\n"
                      "model = dict(type='EncoderDecoder')\n"
                      "test_cfg = dict(type='TestLoop')\n")
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
            load_tool('test.py').main([
                str(config), *([str(checkpoint)] if checkpoint else []), '--work-dir', str(tmp_path / 'work'),
                '--cfg-options', *options
            ])
        assert isinstance(caught.value.code, str) and '\n' not in caught.value.code
        return caught.value.code

    return run


def test_missing_file_ends_with_one_line(bad_line, checkpoints, tmp_path):
    assert 'no-such.pth' in bad_line(checkpoint=tmp_path / 'no-such.pth')
    assert 'no-such.py' in bad_line(config='no-such.py')
    assert 'has a model, so it needs a checkpoint' in bad_line(checkpoint=None)
    assert f'no folder {tmp_path}/nowhere: run the stage' in bad_line(
        f'test_cfg.cam_dir={tmp_path}/nowhere', config=IRNET, checkpoint=checkpoints[IRNET])


def test_masks_are_not_overwritten(bad_line, cams, tiny_voc):
    masks = contents(tiny_voc)
    assert 'so this stage did not make them' in bad_line(
        f'test_cfg.out_dir={tiny_voc}/SegmentationClass', config=AFFINITY_LABEL, checkpoint=None)
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
