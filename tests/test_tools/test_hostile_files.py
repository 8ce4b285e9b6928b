"""A hundred files that are hostile, broken or of another kind: one line that names the file, and no more."""

import io
import json
import os
import pickle
import shutil
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmamr.registry import MODELS

CONFIGS = Path(__file__).parents[1] / 'data' / 'configs'
HTML = b'<!DOCTYPE html><html><body>404 Not Found</body></html>'


class Bomb:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def image(size=(64, 48), kind='PNG', mode='RGB'):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def anything(good, ran):
    """What may stand in the place of any file."""
    return [
        b'',
        b'\0',
        b'\xff' * 1000,
        b'a,b,c\n1,2,3\n',
        HTML,
        b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\nshowpage\n',
        b'#!/bin/sh\ntouch ' + str(ran).encode() + b'\n',
        pickle.dumps(Bomb(ran)),
        zipped('a.txt', b'a' * 10),
        good[: len(good) // 2],
        good[:20],
        good[: len(good) - 8],
        bytes(byte ^ 0x20 for byte in good[:2000]) + good[2000:],
    ]


def cams(ran, good):
    maps = np.zeros((1, 12, 16), np.float16)
    fine = {'classes': np.array([0]), 'size': np.array([48, 64]), 'map.walk': maps}
    changes = [
        {'classes': np.array([7])},
        {'classes': np.array([300])},
        {'classes': np.array([0.5])},
        {'size': np.array([480, 640])},
        {'size': np.array([2**31, 2**31])},
        {'size': np.array([-48, 64])},
        {'size': np.array(['a', 'b'])},
        {'map.walk': maps + 2},
        {'map.walk': maps - 1},
        {'map.walk': maps * np.nan},
        {'map.walk': maps[0]},
        {'map.walk': np.zeros((1, 5000, 5000), np.float16)},
        {'map.walk': np.array([Bomb(ran)], dtype=object)},
        {'map.other': maps, 'map.third': maps},
        {'foreign': maps},
        {'powers': np.ones(2)},
        {'background': maps},
        {'background': maps, 'powers': np.array([-1.0])},
    ]
    return [*anything(good, ran), *(npz(**{**fine, **change}) for change in changes)]


def checkpoints(ran, good):
    content = torch.load(io.BytesIO(good), weights_only=True)
    state = content['state_dict']
    first = next(iter(state))
    changes = [
        {},
        [],
        7,
        'text',
        dict(state_dict={}),
        dict(state_dict=7),
        dict(state_dict={first: 'text'}),
        dict(state_dict={**state, first: state[first][:1]}),
        dict(state_dict={**state, first: state[first] * float('nan')}),
        dict(state_dict={**state, 'foreign': torch.zeros(1)}),
        dict(state_dict={name: value for name, value in state.items() if name != first}),
        dict(state_dict=state, other=Bomb(ran)),
        Bomb(ran),
    ]
    return [*anything(good, ran), *map(saved, changes)]


def photos(ran, good):
    bomb = io.BytesIO()
    Image.new('1', (30000, 30000)).save(bomb, 'PNG')
    # good bytes in another order may be a picture still
    return [*anything(good, ran)[:-1], bomb.getvalue(), image(kind='ICO', size=(16, 16)), image(kind='PDF')]


def masks(ran, good):
    values, colours, deep = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((48, 64), 77, np.uint8)).save(values, 'PNG')
    Image.new('RGB', (64, 48), (200, 10, 30)).save(colours, 'PNG')
    # without its last bytes all pixels of a PNG are there
    Image.fromarray(np.full((48, 64), 300, np.uint16)).save(deep, 'PNG')
    odd = [colours.getvalue(), image(mode='L', size=(9, 9)), deep.getvalue(), values.getvalue()]
    return [*anything(good, ran)[:-2], *odd]


def manifests(ran, good):
    whole = json.loads(good)
    changes = [7, [], {}, dict(whole, format=9), dict(whole, stages=[]), dict(whole, stages=dict(cam=7))]
    changes += [dict(whole, stages={'../../elsewhere': whole['stages']['cam']}), dict(whole, pipeline=['a'])]
    texts = [json.dumps(change).encode() for change in changes]
    # the last of these parts of it is still JSON: nothing but a line end is cut off
    return [*anything(good, ran), *texts, b'[' * 100_000]


def check(counts, kind, path, contents, command, capsys):
    """Put each content in the place of a file and run a tool on it."""
    before = path.read_bytes()
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(SystemExit) as caught:
            command()
        said = capsys.readouterr()
        text = said.out + said.err + (caught.value.code if isinstance(caught.value.code, str) else '')
        assert caught.value.code not in (0, None), (kind, content[:200])
        assert 'Traceback' not in text and path.name in text, (kind, content[:200], text)
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
    check(counts, 'CAM files', path, cams(ran, path.read_bytes()), measure, capsys)

    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), path)
    test = tool('test.py', config, path, '--work-dir', tmp_path / 'work')
    check(counts, 'checkpoints', path, checkpoints(ran, path.read_bytes()), test, capsys)
    train = tool('train.py', config, '--work-dir', tmp_path / 'work', '--resume', path)
    check(counts, 'checkpoints to resume', path, anything(path.read_bytes(), ran), train, capsys)
    assert not list((tmp_path / 'work').glob('*.pth')) and not list((tmp_path / 'work').glob('cams/*.npz'))

    look = tool('dataset_converters/check_dataset.py', config, '--nproc', '0')
    path = tiny_voc / 'JPEGImages' / 'img_00.jpg'
    check(counts, 'photos', path, photos(ran, path.read_bytes()), look, capsys)
    path = tiny_voc / 'SegmentationClass' / 'img_00.png'
    check(counts, 'masks', path, masks(ran, path.read_bytes()), look, capsys)

    path = tmp_path / 'pipeline' / 'manifest.json'
    path.parent.mkdir()
    record = dict(state='done', kind='test', config='a.py', config_hash='a', inputs={}, outputs={}, metrics={})
    path.write_text(json.dumps(dict(format=2, pipeline={}, stages=dict(cam=record))))
    plan = tool('train.py', CONFIGS / 'tiny_pipeline.py', '--work-dir', path.parent, '--dry-run')
    check(counts, 'manifests', path, manifests(ran, path.read_bytes()), plan, capsys)
    report = tool('analysis_tools/report.py', path.parent)
    check(counts, 'manifests of a report', path, manifests(ran, path.read_bytes()), report, capsys)

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
