"""Configs, metafiles, READMEs and the model index say the same."""
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / 'configs').glob('*/metafile.yml'))


def models(folder):
    return yaml.safe_load((folder / 'metafile.yml').read_text(encoding='utf-8'))['Models']


def test_every_folder_of_configs_has_a_metafile_and_is_in_the_index():
    folders = {path.parent for path in (ROOT / 'configs').glob('*/*.py')} - {ROOT / 'configs' / 'experiments'}
    assert {path for path in folders if path.name != '_base_'} == set(FOLDERS)
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))['Import']
    assert index == [f'configs/{folder.name}/metafile.yml' for folder in FOLDERS]


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda folder: folder.name)
def test_metafile_lists_the_configs_of_its_folder(folder):
    listed = {model['Name']: model['Config'] for model in models(folder)}
    assert set(listed) == {path.stem for path in folder.glob('*.py')}
    for name, config in listed.items():
        assert config == f'configs/{folder.name}/{name}.py'


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda folder: folder.name)
def test_readme_has_the_results_of_the_metafile(folder):
    readme = (folder / 'README.md').read_text(encoding='utf-8')
    for heading in ('## Abstract', '## How to use', '## Results', '## Citation'):
        assert heading in readme, heading
    for model in models(folder):
        for result in model.get('Results', []):
            for value in result['Metrics'].values():
                assert f'{value:.1f}' in readme, (model['Name'], value)
