"""Configs, metafiles, READMEs and the model index say the same."""

import re
from decimal import Decimal
from numbers import Real
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / 'configs').glob('*/metafile.yml'))


def read(folder, key):
    return yaml.safe_load((folder / 'metafile.yml').read_text(encoding='utf-8')).get(key, [])


def models(folder):
    return read(folder, 'Models')


COLLECTIONS = {
    collection['Name']: collection['README'] for folder in FOLDERS for collection in read(folder, 'Collections')
}


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
    assert {model['In Collection'] for model in models(folder)} <= set(COLLECTIONS)


def results_section(readme):
    """The text between the heading Results and the next one of its level."""
    return re.split(r'^## ', readme.partition('\n## Results\n')[2], maxsplit=1, flags=re.MULTILINE)[0]


def problems(models, readme):
    """What is wrong with the ``Results`` of a metafile: one line each.

    A number is told if the README's section Results has it as a whole number of one or more decimals, rounded or not:
    52.17 is told by 52.17 and by 52.2, but not by 152.2 or 52.25.
    """
    told = set(re.findall(r'(?<![\w.])\d+\.\d+(?!\.?\d)', results_section(readme)))
    lines = []
    for model in models:
        for result in model.get('Results') or []:
            missing = {'Task', 'Dataset', 'Metrics'} - set(result)
            metrics = result.get('Metrics') or {}
            if missing or not metrics:
                lines.append(f'{model["Name"]}: a result has no {", ".join(sorted(missing)) or "number in Metrics"}')
            for name, value in metrics.items():
                if isinstance(value, bool) or not isinstance(value, Real):
                    lines.append(f'{model["Name"]}: {name} is {value!r}, not a number')
                    continue
                written = Decimal(str(value))
                digits = max(1, -written.as_tuple().exponent)
                if not told & {f'{value:.{places}f}' for places in range(1, digits + 1)}:
                    lines.append(f'{model["Name"]}: {name} {value} is not in the README')
    return lines


@pytest.mark.parametrize('collection', COLLECTIONS)
def test_readme_has_the_results_of_its_collection(collection):
    """Models of a collection may stand in several folders; pipelines have one of their own."""
    readme = (ROOT / COLLECTIONS[collection]).read_text(encoding='utf-8')
    for heading in ('## Abstract', '## How to use', '## Results', '## Citation'):
        assert heading in readme, heading
    members = [model for folder in FOLDERS for model in models(folder) if model['In Collection'] == collection]
    assert members and problems(members, readme) == []


README = """# AMR
Gains 33.3 somewhere else.
## Results
| model | mIoU |
| --- | ---: |
| plain | 52.17 ± 0.2 |
| AMR | **54.3** (+2.1) |
| deep | 60.0, 152.2 and version 1.71.2, 48 |
### On val
41.5.
## Citation
70.1
"""


@pytest.mark.parametrize('value', [52.17, 54.3, 54.34, 60, 60.0, 41.5, 0.2, 2.1])
def test_numbers_that_the_readme_has(value):
    assert problems([models_with(mIoU=value)], README) == []


@pytest.mark.parametrize('value', [52.2, 52.1, 54.36, 5, 52, 71.2, 1.7, 48, 33.3, 70.1, 4.3, 17.0])
def test_numbers_that_it_has_not(value):
    assert problems([models_with(mIoU=value)], README) == [f'amr: mIoU {value} is not in the README']


def test_every_number_of_every_model_is_looked_up():
    found = problems([dict(Name='none'), models_with(a=54.3, b=9.9), models_with(c=8.8)], README)
    assert found == ['amr: b 9.9 is not in the README', 'amr: c 8.8 is not in the README']


@pytest.mark.parametrize(
    'result, line',
    [
        (dict(Dataset='VOC', Metrics=dict(mIoU=54.3)), 'amr: a result has no Task'),
        (dict(Task='CAM', Dataset='VOC', Metrics=None), 'amr: a result has no number in Metrics'),
        (dict(Task='CAM', Dataset='VOC', Metrics=dict(mIoU='54.3')), "amr: mIoU is '54.3', not a number"),
    ],
)
def test_results_that_are_not_complete(result, line):
    assert problems([dict(Name='amr', Results=[result])], README) == [line]


def models_with(**metrics):
    """A model of a metafile with these numbers."""
    return dict(Name='amr', Results=[dict(Task='Semantic Segmentation', Dataset='VOC', Metrics=metrics)])
