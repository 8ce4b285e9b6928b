import numpy as np
import pytest
from PIL import Image

from mmamr.datasets.embedded import draw_image


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/embedded.py').main


def test_draw_with_sheet(main, tmp_path, capsys):
    root, sheet = tmp_path / 'data', tmp_path / 'sheet.png'
    options = [str(root), '--train', '3', '--val', '1', '--seed', '2']
    assert main([*options, '--sheet', str(sheet), '--sheet-images', '2']) == 0
    assert '3 pictures to train with and 1 to validate on' in capsys.readouterr().out
    picture = np.asarray(Image.open(root / 'JPEGImages' / 'train_0002.png'))
    np.testing.assert_array_equal(picture, draw_image('train_0002', seed=2).image)
    assert Image.open(sheet).size == (272, 272)
    # Again: nothing to draw.
    assert main(options) == 0


def test_wrong_options(main, tmp_path, capsys):
    (tmp_path / 'ImageSets').mkdir()
    assert main([str(tmp_path)]) == 1
    assert 'holds another data set' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([str(tmp_path), '--train', '0'])
