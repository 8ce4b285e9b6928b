import json
import os

import pytest
import torch
from torch import nn

from mmamr.fileio import CAMFolder, ChangedSettingsError, OutputFolder, folder_digest, state_digest
from mmamr.utils import InputError


def names(path):
    return sorted(os.listdir(path))


def make(path, redo=False, **settings):
    folder = OutputFolder(CAMFolder(str(path)), settings, redo)
    folder.prepare()
    return folder


def test_makes_the_folder_and_notes_the_settings(tmp_path):
    make(tmp_path / 'a' / 'b', scales=(1.0, 0.5), model='abc')
    assert json.loads((tmp_path / 'a' / 'b' / 'settings.json').read_text()) == dict(scales=[1.0, 0.5], model='abc')


def test_keeps_files_of_the_same_settings(tmp_path):
    make(tmp_path, scales=(1.0, 0.5))
    (tmp_path / 'a.npz').write_bytes(b'x')
    make(tmp_path, scales=[1.0, 0.5])
    assert names(tmp_path) == ['a.npz', 'settings.json']


@pytest.mark.parametrize('settings', [dict(scales=[1.0]), dict(scales=[1.0, 0.5], flip=True), dict()])
def test_deletes_files_of_other_settings_if_asked(tmp_path, settings):
    make(tmp_path, scales=(1.0, 0.5))
    for name in ('a.npz', 'b.npz', 'notes.txt'):
        (tmp_path / name).write_bytes(b'x')
    with pytest.raises(
        ChangedSettingsError, match=r'holds 2 files that were made with other .*: pass --redo'
    ) as caught:
        make(tmp_path, **settings)
    assert '\n' not in str(caught.value)
    assert names(tmp_path) == ['a.npz', 'b.npz', 'notes.txt', 'settings.json']
    make(tmp_path, redo=True, **settings)
    assert names(tmp_path) == ['notes.txt', 'settings.json']


def test_killed_while_deleting_starts_again(tmp_path, monkeypatch):
    make(tmp_path, scale=1)
    for name in ('a.npz', 'b.npz', 'c.npz'):
        (tmp_path / name).write_bytes(b'x')
    unlink, left = os.unlink, [2]

    def killed(path):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        unlink(path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, 'unlink', killed)
        make(tmp_path, redo=True, scale=2)
    # one of the old kind is gone; the settings are still theirs, so no run takes the others for its own
    assert len(names(tmp_path)) == 3
    make(tmp_path, redo=True, scale=2)
    assert names(tmp_path) == ['settings.json']


def test_removes_what_a_killed_run_left(tmp_path):
    make(tmp_path, scale=1)
    (tmp_path / '.tmp-xyza.npz').write_bytes(b'half')
    make(tmp_path, scale=1)
    assert names(tmp_path) == ['settings.json']


@pytest.mark.parametrize('settings', [None, '', '{"scale": 1', '[1]'])
def test_never_deletes_what_no_stage_made(tmp_path, settings):
    (tmp_path / 'a.npz').write_bytes(b'precious')
    if settings is not None:
        (tmp_path / 'settings.json').write_text(settings)
    line = r'holds 1 \.npz files but no settings\.json' if settings is None else r'settings\.json is damaged'
    with pytest.raises(InputError, match=line) as caught:
        make(tmp_path, scale=1)
    assert '\n' not in str(caught.value)
    assert (tmp_path / 'a.npz').read_bytes() == b'precious'


def test_other_files_are_no_obstacle(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'x')
    make(tmp_path, scale=1)
    assert names(tmp_path) == ['a.png', 'settings.json']


def test_pending(tmp_path):
    folder = make(tmp_path)
    assert folder.pending(5, lambda index: index in (1, 4)) == [0, 2, 3]
    assert folder.pending(0, lambda index: True) == []


def test_state_digest_sees_each_weight_and_buffer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    first = state_digest(model)
    assert state_digest(model) == first
    model.to(memory_format=torch.channels_last)
    assert state_digest(model) == first
    for name, value in model.state_dict().items():
        before = value.clone()
        value.add_(1)
        assert state_digest(model) != first, name
        value.copy_(before)
    assert state_digest(model) == first
    assert state_digest(model.bfloat16()) != first


def test_folder_digest(tmp_path):
    with pytest.raises(FileNotFoundError, match='run the stage that makes it first'):
        folder_digest(str(tmp_path / 'none'))
    # of somebody else's folder: names, sizes and ages
    (tmp_path / 'a.npz').write_bytes(b'abc')
    first = folder_digest(str(tmp_path))
    assert folder_digest(str(tmp_path)) == first
    os.utime(tmp_path / 'a.npz', (1, 1))
    aged = folder_digest(str(tmp_path))
    assert aged != first
    (tmp_path / 'b.npz').write_bytes(b'abc')
    assert folder_digest(str(tmp_path)) != aged
    # of one of ours: the settings, whatever is there already
    make(tmp_path / 'ours', scale=1)
    first = folder_digest(str(tmp_path / 'ours'))
    (tmp_path / 'ours' / 'a.npz').write_bytes(b'abc')
    assert folder_digest(str(tmp_path / 'ours')) == first
    make(tmp_path / 'ours', redo=True, scale=2)
    assert folder_digest(str(tmp_path / 'ours')) != first
