"""A hundred files that are hostile, broken or of another kind: one line that names the file, and no more."""

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import hostile
import pytest
import torch
from mmengine.config import Config

from mmamr.registry import MODELS

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'


def check(counts, kind, path, contents, command, capsys):
    """Put each content in the place of a file and run a tool on it."""
    before = path.read_bytes()
    for name, content in contents.items():
        path.write_bytes(content)
        with pytest.raises(SystemExit) as caught:
            command()
        said = capsys.readouterr()
        text = said.out + said.err + (caught.value.code if isinstance(caught.value.code, str) else '')
        assert caught.value.code not in (0, None), (kind, name)
        assert 'Traceback' not in text and path.name in text, (kind, name, text)
        counts[kind] += 1
    path.write_bytes(before)


@pytest.fixture
def quick(tiny_voc, monkeypatch):
    monkeypatch.setenv('MMAMR_TINY_VOC', str(tiny_voc))
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, *args, **kwargs: (text, True))


@pytest.mark.slow
def test_a_hundred_hostile_files(quick, tiny_voc, load_tool, write_cams, tmp_path, capsys):
    ran, counts = tmp_path / 'ran', Counter()
    outside = set(tmp_path.parent.iterdir())

    def tool(name, *argv):
        main = load_tool(name).main
        return lambda: sys.exit(main([str(word) for word in argv]))

    config = CONFIGS / 'tiny_amr.py'
    folder = Path(write_cams(branches=('walk',)))
    measure = tool('analysis_tools/eval_cams.py', config, '--cam-dir', folder, '--nproc', '0')
    path = folder / 'img_00.npz'
    check(counts, 'CAM files', path, hostile.cams(ran, path.read_bytes()), measure, capsys)

    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), path)
    test = tool('test.py', config, path, '--work-dir', tmp_path / 'work')
    check(counts, 'checkpoints', path, hostile.checkpoints(ran, path.read_bytes()), test, capsys)
    train = tool('train.py', config, '--work-dir', tmp_path / 'work', '--resume', path)
    check(counts, 'checkpoints to resume', path, hostile.anything(path.read_bytes(), ran), train, capsys)
    assert not list((tmp_path / 'work').glob('*.pth')) and not list((tmp_path / 'work').glob('cams/*.npz'))

    look = tool('dataset_converters/check_dataset.py', config, '--nproc', '0')
    path = tiny_voc / 'JPEGImages' / 'img_00.jpg'
    check(counts, 'photos', path, hostile.photos(ran, path.read_bytes()), look, capsys)
    path = tiny_voc / 'SegmentationClass' / 'img_00.png'
    check(counts, 'masks', path, hostile.masks(ran, path.read_bytes()), look, capsys)

    path = tmp_path / 'pipeline' / 'manifest.json'
    path.parent.mkdir()
    record = dict(state='done', kind='test', config='a.py', config_hash='a', inputs={}, outputs={}, metrics={})
    path.write_text(json.dumps(dict(format=2, pipeline={}, stages=dict(cam=record))))
    plan = tool('train.py', CONFIGS / 'tiny_pipeline.py', '--work-dir', path.parent, '--dry-run')
    check(counts, 'manifests', path, hostile.manifests(ran, path.read_bytes()), plan, capsys)
    report = tool('analysis_tools/report.py', path.parent)
    check(counts, 'manifests of a report', path, hostile.manifests(ran, path.read_bytes()), report, capsys)

    assert not ran.exists()
    assert set(tmp_path.parent.iterdir()) == outside
    with capsys.disabled():
        print(f'\n{sum(counts.values())} hostile or broken files, each one line: {dict(counts)}')
    assert sum(counts.values()) >= 100


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_what_is_no_regular_file(quick, tiny_voc, load_tool, tmp_path, capsys):
    """A pipe would be waited for without end; a folder, a device and a link to itself are no photos either."""
    path = tiny_voc / 'JPEGImages' / 'img_00.jpg'
    for make in (
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
        lambda: path.symlink_to('/dev/zero'),
        lambda: path.symlink_to(path),
    ):
        path.unlink()
        make()
        code = load_tool('dataset_converters/check_dataset.py').main([str(CONFIGS / 'tiny_amr.py'), '--nproc', '0'])
        said = capsys.readouterr()
        assert code == 1 and 'img_00.jpg' in said.out and 'Traceback' not in said.out + said.err
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            path.touch()
