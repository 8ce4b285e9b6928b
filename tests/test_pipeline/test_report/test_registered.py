"""Settings in a work folder are data: nothing that they name is run unless it is a registered class."""

import json
import os
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.apis import write_report
from mmamr.pipeline.report.registered import check_registered, is_registered
from mmamr.utils import InputError

CONFIGS = Path(__file__).parents[3] / 'configs'
ATTACKS = [
    dict(type='os.mkdir', path='{run}'),
    dict(type='subprocess.check_call', args=['mkdir', '{run}']),
    dict(type='intruder'),
    dict(type='intruder.Dataset'),
    dict(type='mmengine.load', file='evil.pkl'),
    dict(type='mmengine.fileio.load', file='evil.pkl'),
    dict(type='ImageLabelDataset', _scope_='intruder'),
    dict(type='ImageLabelDataset', labels=dict(type='intruder.Labels')),
    dict(type='mmseg.BaseSegDataset', pipeline=[dict(type='mmseg.LoadBiomedicalData', decode_backend='pickle')]),
    dict(type=['os.mkdir']),
]


@pytest.mark.parametrize('dataset', ATTACKS, ids=lambda dataset: str(dataset)[:40])
def test_only_registered_classes_are_built(dataset):
    with pytest.raises(InputError, match=r'^the settings in x name [^\n]*$'):
        check_registered([dict(type='CAMHead'), dataset], 'mmamr', 'the settings in x')


def test_names_of_all_scopes_are_known():
    for scope, name in (('mmamr', 'CAMHead'), ('mmseg', 'EncoderDecoder'), ('mmpretrain', 'PackInputs')):
        assert is_registered(scope, name)
    assert is_registered('mmamr', 'Resize') and not is_registered('mmamr', 'EncoderDecoder')
    assert not is_registered('os', 'mkdir') and not is_registered('mmamr', 'os')
    with pytest.raises(InputError, match='intruder'):
        check_registered([], 'intruder', 'the settings in x')


@pytest.mark.parametrize('name', ['amr', 'deeplabv2', 'segformer', 'pseudo_label', 'irnet'])
def test_what_our_configs_name_is_registered(name):
    paths = sorted((CONFIGS / name).glob('*.py'))
    for path in paths[:4]:
        cfg = Config.fromfile(path)
        built = [cfg.get('model'), (cfg.get('test_dataloader') or {}).get('dataset')]
        check_registered(built, cfg.get('default_scope') or 'mmamr', str(path))


@pytest.mark.parametrize('dataset', ATTACKS[:4], ids=lambda dataset: str(dataset)[:40])
def test_a_report_of_hostile_settings(dataset, manifest, tmp_path, monkeypatch):
    (tmp_path / 'intruder.py').write_text(f'open({str(tmp_path / "run")!r}, "w")')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    run = str(tmp_path / 'run')
    for stage, loop in (('cam', 'CAMLoop'), ('evaluation', 'TestLoop')):
        settings = dict(test_cfg=dict(type=loop), test_dataloader=dict(dataset=dataset), model=dict(type='NoModel'))
        text = json.dumps(settings).replace('{run}', run)
        (tmp_path / stage / 'stage_settings.json').write_text(text)
        manifest.update(
            stage, state='done', kind='test', outputs=dict(out_dir=dict(path=str(tmp_path), count=0, hash=''))
        )
    with open(write_report(str(tmp_path)), encoding='utf-8') as file:
        html = file.read()
    assert html.count('No pictures: the settings in ') == 2 and not os.path.exists(run)
