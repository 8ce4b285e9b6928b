"""The console command: what the tools do, by name."""

import sys
from pathlib import Path

import pytest

from mmamr import __version__, cli

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_arguments(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['mmamr'])
    monkeypatch.setattr(sys, 'path', list(sys.path))


def run(*argv):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(argv))
    return ended.value.code


def test_help_lists_every_command(capsys):
    assert run('--help') == 0
    text = capsys.readouterr().out
    for name, (script, description) in cli.COMMANDS.items():
        assert f'  {name} ' in text and description in text
        assert (ROOT / 'tools' / script).is_file()
    assert run() == 2
    assert run('--version') == 0 and __version__ in capsys.readouterr().out
    assert 'no command' in run('fly')


@pytest.mark.parametrize('name', ['train', 'predict', 'export', 'check', 'report'])
def test_a_command_is_called_by_its_name(name, capsys):
    assert run(name, '--help') == 0
    assert f'usage: mmamr {name} ' in capsys.readouterr().out


def test_exit_codes_and_errors_are_the_tool_s(tmp_path):
    (tmp_path / 'x.jpg').write_bytes(b'')
    assert 'nowhere.pth' in run('predict', str(tmp_path / 'nowhere.pth'), str(tmp_path), '--out', str(tmp_path / 'o'))
    assert run('check') == 2


def test_configs_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py'
    for text in (name, f'configs/{name}', f'mmamr::{name}'):
        assert Path(cli.find_config(text)).resolve() == ROOT / 'configs' / name
    for text in ('pipelines/nowhere.py', '--x=pipelines/a.py', 'photo.jpg'):
        assert cli.find_config(text) == text
    (tmp_path / 'pipelines').mkdir()
    (tmp_path / name).write_text('')
    assert cli.find_config(name) == name


def test_tools_of_an_installed_package(tmp_path, monkeypatch):
    package = tmp_path / 'site-packages' / 'mmamr'
    for name in ('.mim/tools/train.py', '.mim/configs/amr/x.py'):
        (package / name).parent.mkdir(parents=True)
        (package / name).write_text('import sys\nprint(sys.argv)\nsys.exit(3)\n')
    monkeypatch.setattr(cli, '__file__', str(package / 'cli.py'))
    assert cli.root() == str(package / '.mim')
    assert run('train', 'amr/x.py') == 3
    (package / '.mim' / 'tools' / 'train.py').unlink()
    assert 'install mmamr again' in run('train')
