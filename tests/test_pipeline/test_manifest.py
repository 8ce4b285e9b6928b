"""Files of a work folder that somebody damaged, and names that are no names."""

import copy
import json

import pytest

from mmamr.apis import write_report
from mmamr.pipeline.manifest import Manifest
from mmamr.pipeline.settings import read_settings
from mmamr.pipeline.stage import parse_stages, replace_names
from mmamr.utils import InputError

PRINT = dict(path='a', count=1, hash='ab')
RECORD = dict(state='done', kind='test', config='a.py', config_hash='ab', inputs=dict(images=PRINT), outputs={})
GOOD = dict(format=2, pipeline=dict(config='a.py', stages=['cam']), stages=dict(cam=RECORD))
DAMAGED = [
    ((), []),
    ((), 7),
    (('format',), '2'),
    (('stages',), []),
    (('stages',), None),
    (('pipeline',), 'a.py'),
    (('pipeline', 'stages'), 'cam'),
    (('pipeline', 'stages'), [1]),
    (('pipeline', 'stages'), ['../../elsewhere']),
    (('pipeline', 'config'), {}),
    (('stages', 'cam'), []),
    (('stages', '../cam'), RECORD),
    (('stages', 'cam', 'state'), None),
    (('stages', 'cam', 'kind'), 3),
    (('stages', 'cam', 'inputs'), []),
    (('stages', 'cam', 'inputs', 'images'), 'a'),
    (('stages', 'cam', 'inputs', 'images', 'hash'), 7),
    (('stages', 'cam', 'outputs'), dict(out_dir=dict(path=['a'], count=1, hash='ab'))),
    (('stages', 'cam', 'metrics'), dict(mIoU='high')),
    (('stages', 'cam', 'seconds'), 'long'),
    (('stages', 'cam', 'error'), ['a']),
    (('stages', 'cam', 'config_hash'), {}),
    (('stages', 'cam', 'options'), 'a=b'),
    (('stages', 'cam', 'started'), 5),
]


def changed(place, value):
    content = copy.deepcopy(GOOD)
    if not place:
        return value
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return content


def test_the_manifest_as_it_should_be(tmp_path):
    (tmp_path / 'manifest.json').write_text(json.dumps(GOOD))
    assert Manifest(str(tmp_path)).stages['cam'].items() >= RECORD.items()


@pytest.mark.parametrize('place, value', DAMAGED)
def test_a_damaged_manifest_is_one_line(tmp_path, place, value):
    (tmp_path / 'manifest.json').write_text(json.dumps(changed(place, value)))
    for read in (lambda: Manifest(str(tmp_path)), lambda: write_report(str(tmp_path))):
        with pytest.raises(InputError) as caught:
            read()
        line = str(caught.value)
        assert line.startswith(str(tmp_path / 'manifest.json')) and '\n' not in line and 'remove it' in line


@pytest.mark.parametrize('text', ['', '{', '[' * 100_000, '\x00', '{"format": 2}', 'null'])
def test_what_is_no_manifest(tmp_path, text):
    (tmp_path / 'manifest.json').write_text(text)
    with pytest.raises(InputError, match=r'manifest\.json'):
        Manifest(str(tmp_path))


SETTINGS = ['[]', '7', '{"model": 3}', '{"test_cfg": []}', '{"test_dataloader": "a"}', '{"filename": 3}', '[' * 100_000]


@pytest.mark.parametrize('text', SETTINGS)
def test_settings_of_another_kind_are_not_known(tmp_path, text):
    path = tmp_path / 'settings.json'
    path.write_text(text)
    assert read_settings(str(path)) is None


def test_settings_are_data(tmp_path):
    """Nothing of a work folder is run, whatever a file in it is called."""
    path = tmp_path / 'settings.json'
    path.write_text(json.dumps(dict(work_dir="{{ __import__('os').system('false') }}", model=dict(type='NoModel'))))
    assert read_settings(str(path)).work_dir.startswith('{{')


@pytest.mark.parametrize('name', ['../elsewhere', 'a/b', '', '.', 'a b', '{cam.out_dir}', 'a\n', 'a\0'])
def test_what_is_no_name_of_a_stage(name):
    with pytest.raises(InputError, match='is no name of a stage'):
        parse_stages({name: dict(kind='test', config='a.py')}, '.')


@pytest.mark.parametrize(
    'stages',
    [
        [],
        'cam',
        dict(cam='a.py'),
        dict(cam=[1]),
        dict(cam=dict(kind='test', config=['a.py'])),
        dict(cam=dict(kind='test', config='a.py', options='a=b')),
        dict(cam=dict(kind='test', config='a.py', checkpoint=3)),
    ],
)
def test_stages_of_another_kind(stages):
    with pytest.raises(InputError, match='stage'):
        parse_stages(stages, '.')


def test_names_of_classes_are_no_references():
    value = dict(metainfo=dict(classes=('{cam.out_dir}', 'a')), cam_dir='{cam.out_dir}', other='{unknown.out_dir}')
    replaced = replace_names(value, lambda stage, what: '/cams' if stage == 'cam' else None)
    assert replaced == dict(value, cam_dir='/cams')
