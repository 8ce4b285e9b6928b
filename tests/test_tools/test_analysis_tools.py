import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmamr.apis import init_dataset, init_model
from mmamr.cams import otsu_threshold, score_histogram
from mmamr.fileio import read_cam, write_cam
from mmamr.structures import CAM, strided_size


@pytest.fixture
def cam_dir(tiny_config, tmp_path):
    """CAMs that are one everywhere in the spotlight and noise in the compensation branch."""
    dataset, rng = init_dataset(tiny_config('tiny_amr')), np.random.default_rng(0)
    for index in range(len(dataset)):
        item, size = dataset.get_data_info(index), dataset.get_image_size(index)
        shape = (len(item['gt_label']), *strided_size(size))
        maps = dict(spotlight=np.ones(shape), compensation=rng.random(shape))
        write_cam(str(tmp_path / 'cams' / f'{item["img_id"]}.npz'), CAM(maps, np.array(item['gt_label']), size))
    return tmp_path / 'cams'


@pytest.fixture
def config(tiny_config, tmp_path):
    """Path of a config of the made-up photos."""
    path = str(tmp_path / 'tiny.py')
    tiny_config('tiny_amr').dump(path)
    return path


def ends(main, *args):
    """The one line that a tool ends with."""
    with pytest.raises(SystemExit) as caught:
        main([str(arg) for arg in args])
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_what_the_second_branch_adds(load_tool, config, cam_dir, tmp_path, capsys):
    out = tmp_path / 'metrics.json'
    argv = [config, '--cam-dir', str(cam_dir), '--complement', '--nproc', '0', '--out', str(out)]
    load_tool('analysis_tools/eval_cams.py').main(argv)
    assert '| complement | compensation | spotlight |' in capsys.readouterr().out
    metrics = json.loads(out.read_text())
    assert 0 <= metrics['complement/compensation'] <= 100 and 'CAM/weighted.mIoU' in metrics


def test_a_threshold_without_masks(load_tool, config, cam_dir, tmp_path, capsys):
    out = tmp_path / 'metrics.json'
    argv = [config, '--cam-dir', str(cam_dir), '--nproc', '0', '--out', str(out), '--threshold']
    load_tool('analysis_tools/eval_cams.py').main([*argv, 'auto'])
    metrics = json.loads(out.read_text())
    chosen = metrics.pop('CAM/auto_threshold')
    cams = [read_cam(path) for path in sorted(cam_dir.glob('*.npz'))]
    assert chosen == otsu_threshold(np.sum([score_histogram(cam) for cam in cams], axis=0))
    assert f'threshold chosen without masks: {chosen:.2f}' in capsys.readouterr().out
    load_tool('analysis_tools/eval_cams.py').main([*argv, str(chosen)])
    assert json.loads(out.read_text()) == metrics


def test_eval_cams(load_tool, config, cam_dir, tmp_path, capsys):
    tool = load_tool('analysis_tools/eval_cams.py')
    tool.main(
        [
            config,
            '--cam-dir',
            str(cam_dir),
            '--xis',
            '0.5',
            '0.9',
            '--threshold',
            '0.3',
            '--nproc',
            '2',
            '--out',
            str(tmp_path / 'metrics.json'),
            '--curves',
            str(tmp_path / 'curves.json'),
        ]
    )
    table = capsys.readouterr().out
    assert '| weighted, ξ = 0.9 |' in table and '| spotlight |' in table
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert f'{metrics["CAM/weighted.mIoU"]:.2f}' in table
    assert set(json.loads((tmp_path / 'curves.json').read_text())) == {
        'spotlight',
        'compensation',
        'weighted',
        'weighted(xi=0.9)',
    }
    tool.main(
        [
            config,
            '--cam-dir',
            str(cam_dir),
            '--nproc',
            '0',
            '--out',
            str(tmp_path / 'table.md'),
            '--cfg-options',
            'test_dataloader.dataset.split=ImageSets/Segmentation/val.txt',
        ]
    )
    assert (tmp_path / 'table.md').read_text(encoding='utf-8').count('ξ') == 4
    # the mean of a model with itself is itself
    tool.main(
        [config, '--cam-dir', str(cam_dir), str(cam_dir), '--threshold', '0.3', '--xis', '0.5', '0.9', '--nproc', '0']
    )
    assert capsys.readouterr().out.endswith(table)


def test_eval_labels(load_tool, config, tiny_voc, tmp_path, capsys):
    tool = load_tool('analysis_tools/eval_labels.py')
    tool.main(
        [
            config,
            '--label-dir',
            str(tiny_voc / 'SegmentationClass'),
            '--nproc',
            '0',
            '--out',
            str(tmp_path / 'metrics.json'),
        ]
    )
    assert '| label | 100.00 |' in capsys.readouterr().out
    assert json.loads((tmp_path / 'metrics.json').read_text())['label/mIoU'] == 100
    assert 'img_00.png' in ends(tool.main, config, '--label-dir', tmp_path / 'nowhere')


def test_vis_cams(load_tool, config, cam_dir, tmp_path, capsys, monkeypatch):
    tool = load_tool('analysis_tools/vis_cams.py')
    out = tmp_path / 'sheet.png'
    tool.main([config, '--cam-dir', str(cam_dir), '--images', 'img_00', 'img_05', '--width', '64', '--out', str(out)])
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert Image.open(out).width == 5 * 64 + 6 * 2
    tool.main(
        [
            config,
            '--cam-dir',
            str(cam_dir),
            '--num',
            '3',
            '--seed',
            '5',
            '--per-class',
            '--xi',
            '0.8',
            '--out',
            str(tmp_path / 'folder'),
        ]
    )
    assert len(list((tmp_path / 'folder').glob('img_*.png'))) >= 3
    # without --cam-dir and --out: the folder that tools/test.py writes to
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'work_dirs' / 'tiny').mkdir(parents=True)
    cam_dir.rename(tmp_path / 'work_dirs' / 'tiny' / 'cams')
    tool.main([config, '--num', '1'])
    assert (tmp_path / 'work_dirs' / 'tiny' / 'cams.png').exists()


def test_vis_affinity(load_tool, tiny_config, cam_dir, tmp_path):
    cfg = tiny_config('tiny_irnet', options={'test_cfg.cam_dir': str(cam_dir), 'test_cfg.unsure': (0.2, 0.5)})
    config, checkpoint, out = (str(tmp_path / name) for name in ('irnet.py', 'irnet.pth', 'affinity.png'))
    cfg.dump(config)
    torch.save(dict(state_dict=init_model(cfg).state_dict()), checkpoint)
    tool = load_tool('analysis_tools/vis_affinity.py')
    tool.main([config, checkpoint, '--images', 'img_00', '--width', '64', '--out', out])
    assert Image.open(out).width == 7 * 64 + 8 * 2
    assert 'nowhere' in ends(tool.main, config, checkpoint, '--cam-dir', 'nowhere', '--num', '1')
    assert 'nowhere.pth' in ends(tool.main, config, 'nowhere.pth')
    cfg.test_cfg = None
    cfg.dump(config)
    assert '--cam-dir' in ends(tool.main, config, checkpoint)


@pytest.mark.parametrize(
    ('tool', 'args', 'message'),
    [
        ('eval_cams', ['{config}', '--cam-dir', 'nowhere'], 'nowhere'),
        ('eval_cams', ['nowhere.py', '--cam-dir', 'nowhere'], 'nowhere.py'),
        ('vis_cams', ['{config}', '--cam-dir', 'nowhere'], 'nowhere'),
        ('vis_cams', ['{config}', '--images', 'img_99'], 'img_99'),
    ],
)
def test_bad_input_is_one_line(load_tool, config, tool, args, message):
    assert message in ends(load_tool(f'analysis_tools/{tool}.py').main, *(arg.format(config=config) for arg in args))


@pytest.mark.parametrize(
    ('tool', 'args'),
    [
        ('eval_cams', ['--cam-dir', 'cams', '--out', 'table.txt']),
        ('eval_cams', ['--cam-dir', 'cams', '--xis', '1.5']),
        ('eval_cams', ['--cam-dir', 'cams', 'others', '--complement']),
        ('eval_labels', ['--label-dir', 'labels', '--out', 'table.txt']),
        ('vis_cams', ['--xi', '-1']),
        ('vis_cams', ['--num', '0']),
        ('vis_affinity', ['weights.pth', '--width', '1']),
    ],
)
def test_wrong_options_are_refused(load_tool, capsys, tool, args):
    with pytest.raises(SystemExit) as caught:
        load_tool(f'analysis_tools/{tool}.py').main(['config.py', *args])
    assert caught.value.code == 2 and 'error: ' in capsys.readouterr().err


def test_photo_cam_and_mask(load_tool, trained, tmp_path, capsys):
    """Of the two models of a pipeline's work folder; a folder without them is told."""
    tool = load_tool('analysis_tools/vis_masks.py')
    photo = str(Path(trained.photos) / 'img_00.jpg')
    out = tmp_path / 'out.png'
    assert 'classifier: no such folder; name the work folder of a' in ends(tool.main, tmp_path, photo, '--out', out)
    (tmp_path / 'classifier').mkdir()
    assert 'no checkpoint in this folder' in ends(tool.main, tmp_path, photo, '--out', out)
    shutil.copy(trained.classifier, tmp_path / 'classifier' / 'epoch_1.pth')
    shutil.copy(trained.segmentation, tmp_path / 'iter_1.pth')
    tool.main([str(tmp_path), photo, photo, '--out', str(out), '--width', '64'])
    assert capsys.readouterr().out == f'{out}\n'
    with Image.open(out) as sheet:
        assert sheet.width > 3 * 64 and sheet.height > 2 * 48
