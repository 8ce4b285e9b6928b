import numpy as np
import pytest
from PIL import Image

from mmamr.visualization import Row, draw_sheet, save_picture

RED, GREEN = np.full((20, 40, 3), (200, 0, 0), np.uint8), np.full((40, 20, 3), (0, 200, 0), np.uint8)


def boxes(sheet, colour):
    """Rows and columns that a colour covers."""
    rows, columns = np.nonzero((sheet == colour).all(2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_pictures_are_fitted_into_square_cells_that_line_up():
    sheet = draw_sheet([Row({'one': RED, 'two': GREEN}), Row({'one': RED, 'two': RED})], width=80)
    assert sheet.dtype == np.uint8 and sheet.shape[1] == 2 * 80 + 3 * 2
    top, bottom, left, right = boxes(sheet, (0, 200, 0))
    assert (bottom - top, right - left) == (80, 40)
    # in the middle of the second cell
    assert left == 2 + 82 + 20
    top, _, left, _ = boxes(sheet[:, :84], (200, 0, 0))
    assert left == 2
    assert (sheet[-1] == 255).all()


def test_captions_stand_once_until_they_change():
    row, other = Row({'one': RED, 'two': GREEN}), Row({'one': RED, 'three': GREEN})
    heights = [draw_sheet(rows, 64).shape[0] for rows in ([row], [row, row], [row, other])]
    panel = 64 + 2
    assert heights[1] - heights[0] == panel
    assert heights[2] - heights[0] > panel
    # dark letters above the pictures
    assert draw_sheet([row], 64)[:12].min() < 100


def test_title_and_legend():
    plain = draw_sheet([Row({'one': RED})], 128)
    titled = draw_sheet([Row({'one': RED}, 'img_00', {'cat': (10, 20, 250)})], 128)
    assert titled.shape[0] > plain.shape[0]
    assert (titled == (10, 20, 250)).all(2).any()
    # more classes than fit into a line take another
    many = draw_sheet([Row({'one': RED}, 'img_00', {f'class {n}': (10, 20, 250) for n in range(12)})], 128)
    assert many.shape[0] > titled.shape[0] + 20
    assert many.shape[1] == titled.shape[1]


@pytest.mark.parametrize('shape', [(1, 1), (1, 300), (300, 1)])
def test_odd_sizes(shape):
    row = Row({'a caption that is much longer than its column': np.zeros((*shape, 3), np.uint8)})
    assert draw_sheet([row], 32).shape[1] == 32 + 4


@pytest.mark.parametrize('rows', [[], [Row({})]])
def test_an_empty_sheet_is_refused(rows):
    with pytest.raises(ValueError, match='at least one'):
        draw_sheet(rows)


@pytest.mark.parametrize('suffix', ['.png', '.JPG'])
def test_save_picture(tmp_path, suffix):
    path = tmp_path / 'new' / f'picture{suffix}'
    save_picture(str(path), RED)
    assert np.abs(np.asarray(Image.open(path).convert('RGB')).astype(int) - RED).max() <= 3
    with pytest.raises(ValueError, match=r'\.png'):
        save_picture(str(tmp_path / 'picture.tiff'), RED)
    assert [file.name for file in tmp_path.iterdir()] == ['new']
