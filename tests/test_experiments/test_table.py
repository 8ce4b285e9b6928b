import csv

from mmamr.experiments import Table


def rows():
    return [
        dict(name='one', values={'train mIoU': [50.0, 52.0], 'threshold': [0.2, 0.3]}, paper=48.3),
        dict(name='two', values={'val mIoU': [40.0, 40.0]}),
    ]


def test_markdown():
    head, line, one, two = Table('Title', [0, 1], rows()).markdown().splitlines()
    assert head == '|  | train mIoU | threshold | val mIoU | seeds | paper (VOC 2012 train) |'
    assert set(line) == set('| -')
    assert one == '| one | 51.0 ± 1.4 | 0.25 |  | 2 | 48.3 |'
    assert two == '| two |  |  | 40.0 ± 0.0 | 2 |  |'
    assert 'paper' not in Table('Title', [0, 1], rows()[1:]).markdown()


def test_files(tmp_path):
    table = Table('Title', [0, 4], rows())
    table.write(str(tmp_path), 'table')
    assert (tmp_path / 'table.md').read_text() == f'Title\n\n{table.markdown()}\n'
    with open(tmp_path / 'table.csv', newline='') as file:
        read = list(csv.DictReader(file))
    assert read[0]['train mIoU seed 4'] == '52.000' and read[0]['val mIoU seed 0'] == ''
    assert read[1]['val mIoU seed 4'] == '40.000'
    assert (tmp_path / 'table.png').read_bytes().startswith(b'\x89PNG')


def test_one_seed_has_no_spread():
    row = dict(name='one', values={'train mIoU': [50.04], 'threshold': [0.2]})
    assert Table('Title', [3], [row]).markdown().splitlines()[-1] == '| one | 50.0 | 0.20 | 1 |'
