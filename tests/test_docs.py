"""Docs and READMEs name what is there, and show the numbers of docs/results/data."""

import csv
import importlib.util
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from mmamr.experiments import Table
from mmamr.experiments.table import format_cell

ROOT = Path(__file__).parents[1]
DATA = ROOT / 'docs' / 'results' / 'data'
READMES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted(ROOT.glob('*/README.md'))]
READMES += sorted((ROOT / 'configs').glob('*/README.md'))
PAGES = READMES + sorted(path for path in (ROOT / 'docs').rglob('*.md') if '_build' not in path.parts)

# Configs that a reader is told to write.
EXAMPLES = {'configs/amr/my-ablation.py'}


def load_reader():
    """docs/_ext/results.py, which is no package."""
    spec = importlib.util.spec_from_file_location('results', ROOT / 'docs' / '_ext' / 'results.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


results = load_reader()


def page_id(path):
    return str(path.relative_to(ROOT))


def without_code(text):
    """Prose alone: a link in a code block is none."""
    return re.sub(r'^( *)```.*?^\1```', '', text, flags=re.MULTILINE | re.DOTALL)


def slug(heading):
    """The anchor that GitHub and MyST give to a heading."""
    text = re.sub(r'[`*]', '', heading.strip().lower())
    return re.sub(r'[^\w\- ]', '', text).replace(' ', '-')


def anchors(path):
    return {
        slug(line.lstrip('#'))
        for line in without_code(path.read_text(encoding='utf-8')).splitlines()
        if line[:1] == '#'
    }


@pytest.mark.parametrize('page', PAGES, ids=page_id)
def test_files_that_a_page_names_are_there(page):
    text = page.read_text(encoding='utf-8')
    named = set(
        re.findall(r'(?<![\w/.-])(?:configs|tools|mmamr|benchmarks|docs|tests)/[\w./-]+\.(?:py|sh|md|yml)\b', text)
    )
    missing = sorted(name for name in named - EXAMPLES if not (ROOT / name).exists())
    assert missing == []


@pytest.mark.parametrize('page', PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    broken = []
    for target in re.findall(r'\]\(([^)\s]+)\)', without_code(page.read_text(encoding='utf-8'))):
        if '://' in target:
            continue
        name, _, anchor = target.partition('#')
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and not (path.is_file() and anchor in anchors(path))):
            broken.append(target)
    assert broken == []


def named_configs(readme):
    """Names of configs in backticks, as patterns: ``…`` and ``<data>`` stand for anything."""
    for name in re.findall(r'`([^`\s]+)`', readme.read_text(encoding='utf-8')):
        if re.fullmatch(r'[\w.…<>-]+', name) and (
            name.endswith('.py') or '…' in name or re.search(r'_\d+xb\d+-', name)
        ):
            pattern = re.sub(r'…|<\w+>', '*', name)
            yield name, pattern if pattern.endswith(('.py', '*')) else f'{pattern}*'


@pytest.mark.parametrize('readme', sorted((ROOT / 'configs').glob('*/README.md')), ids=page_id)
def test_configs_that_a_readme_names_are_there(readme):
    missing = [name for name, pattern in named_configs(readme) if not list(readme.parent.glob(pattern))]
    assert missing == []


def test_every_folder_of_configs_has_a_readme():
    folders = {path.parent for path in (ROOT / 'configs').glob('*/*.py')} - {ROOT / 'configs' / '_base_'}
    assert [folder.name for folder in sorted(folders) if not (folder / 'README.md').exists()] == []


def test_new_names_in_the_changelog_are_there():
    lines = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8').splitlines()
    now = [line.split(' | ')[1] for line in lines if line.startswith('| `') and '.py`' in line.split(' | ')[0]]
    names = {name for cell in now for name in re.findall(r'`([a-z_]+/[\w.-]+\.py)`', cell)}
    assert len(names) > 20
    assert sorted(name for name in names if not (ROOT / 'configs' / name).exists()) == []


COMMANDS = {
    (config, data)
    for page in PAGES
    for config, data in re.findall(
        r'run_experiments\.py (configs/experiments/[\w-]+\.py) --data ([\w-]+)', page.read_text(encoding='utf-8')
    )
}


@pytest.mark.parametrize('config, data', sorted(COMMANDS))
def test_experiments_that_a_page_runs_exist(config, data, monkeypatch):
    monkeypatch.setenv('MMAMR_DATA', data)
    assert Config.fromfile(ROOT / config).rows


def shown_tables():
    """Names of the CSV files that a page shows by the directive ``results-table``."""
    names = []
    for page in PAGES:
        names += re.findall(r'^```\{results-table\} (\S+)$', page.read_text(encoding='utf-8'), flags=re.MULTILINE)
    return names


def shown_files():
    """Names of the CSV files that a page shows as they are."""
    return [name for page in PAGES for name in re.findall(r'^:file: data/(\S+)\.csv$', page.read_text(), re.MULTILINE)]


def test_every_file_of_results_is_shown_once():
    shown = shown_tables() + shown_files()
    assert sorted(shown) == sorted(path.stem for path in DATA.glob('*.csv') if path.stem != 'paper')


@pytest.mark.parametrize('name', shown_tables())
def test_numbers_of_a_table_parse(name):
    table = results.read_results(DATA / f'{name}.csv')
    cells = [cell for cells in table.rows.values() for cell in cells.values()]
    assert cells and all(0 <= cell.mean <= 100 for cell in cells)
    assert all(table.seeds[row] >= 1 for row in table.rows)


@pytest.mark.parametrize('name', shown_tables())
def test_a_table_has_the_rows_of_its_experiment(name, monkeypatch):
    table, _, data = name.rpartition('_')
    path = ROOT / 'configs' / 'experiments' / f'{name}.py'  # a table that one data set alone has
    if not path.exists():
        path = path.with_name(f'{table}.py')
    monkeypatch.setenv('MMAMR_DATA', data)
    rows = [row['name'] for row in Config.fromfile(path).rows]
    assert list(results.read_results(DATA / f'{name}.csv').rows) == rows


def test_numbers_of_the_paper_are_those_of_the_experiments(monkeypatch):
    monkeypatch.setenv('MMAMR_DATA', 'voc-animals')
    for table, numbers in results.read_paper(DATA / 'paper.csv').items():
        rows = Config.fromfile(ROOT / 'configs' / 'experiments' / f'{table}.py').rows
        assert {row['name']: row['paper'] for row in rows if 'paper' in row} == numbers


@pytest.mark.parametrize('name', shown_files())
def test_other_tables_are_rectangular(name):
    with open(DATA / f'{name}.csv', newline='', encoding='utf-8') as file:
        lines = list(csv.reader(file, strict=True))
    assert len(lines) > 1 and {len(line) for line in lines} == {len(lines[0])}


def test_numbers_with_a_spread_in_the_readmes_are_in_the_tables():
    measured = {
        str(cell)
        for name in shown_tables()
        for cells in results.read_results(DATA / f'{name}.csv').rows.values()
        for cell in cells.values()
        if cell.std is not None
    }
    told = {
        (page_id(path), number)
        for path in READMES
        for number in re.findall(r'\d+\.\d+ ± \d+\.\d+', path.read_text(encoding='utf-8'))
    }
    assert len(told) > 30
    assert sorted(entry for entry in told if entry[1] not in measured) == []


def test_what_an_experiment_writes_is_read(tmp_path):
    values = {'train mIoU': [50.0, 51.5, 52.25], 'val mIoU': [40.0, 41.0, 43.0], 'threshold': [0.2, 0.25, 0.3]}
    rows = [dict(name='plain', values=values), dict(name='masks', values={'val mIoU': [60.0, 61.0, 60.5]})]
    Table('a table', [0, 1, 2], rows).write(tmp_path, 'table')
    read = results.read_results(tmp_path / 'table.csv')
    assert read.per_seed and read.columns == list(values) and read.seeds == dict(plain=3, masks=3)
    for row in rows:
        shown = {column: str(cell) for column, cell in read.rows[row['name']].items()}
        assert shown == {column: format_cell(column, numbers) for column, numbers in row['values'].items()}


@pytest.mark.parametrize(
    'text, message',
    [
        ('name,val mIoU mean,seeds\na,1,3\n', 'must be .row.'),
        ('row,val mIoU mean,seeds\n', 'must be rows'),
        ('row,val mIoU,seeds\na,1,3\n', 'columns must be'),
        ('row,val mIoU mean,val mIoU std\na,1,3\n', 'columns must be'),
        ('row,val mIoU mean,seeds\na,5O.1,3\n', "'5O.1' is not a number"),
        ('row,val mIoU seed 0\na,5O.1\n', "'5O.1' is not a number"),
        ('row,val mIoU mean,seeds\na,1\n', 'longer or shorter'),
        ('row,val mIoU mean,seeds\na,1,3,4\n', 'longer or shorter'),
        ('row,val mIoU mean,seeds\na,1,3\na,2,3\n', 'a occurs twice'),
    ],
)
def test_broken_tables_are_refused(tmp_path, text, message):
    path = tmp_path / 'broken.csv'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(ValueError, match=message) as error:
        results.read_results(path)
    assert str(path) in str(error.value)
