import numpy as np
import pytest

from mmamr.structures import MaskClasses, voc_palette


def test_of_a_data_set_of_ours():
    meta = dict(classes=('background', 'cat', 'dog'), mask_values=(0, 8, 12), palette=[[0, 0, 0], [1, 2, 3], [4, 5, 6]])
    classes = MaskClasses.of_meta(meta, 3)
    assert classes.background == 0 and classes.objects == [1, 2]
    mask = classes.decode(np.array([[0, 1], [2, 255]]))
    assert mask.tolist() == [[0, 8], [12, 255]]
    assert classes.encode(mask).tolist() == [[0, 1], [2, 255]]
    assert classes.encode(np.array([[1]], np.uint8)) is None
    assert classes.png_palette[8].tolist() == [1, 2, 3] and (classes.png_palette[1] == voc_palette()[1]).all()
    assert classes.as_list()[1] == dict(name='cat', value=8, color=[1, 2, 3], background=False)


def test_of_a_classifier_the_background_comes_in_front():
    classes = MaskClasses.of_meta(dict(classes=('cat', 'dog'), mask_values=(8, 12)), 2, foreground_only=True)
    assert classes.names == ('background', 'cat', 'dog') and classes.values == (0, 8, 12)
    assert (classes.palette == voc_palette()[[0, 8, 12]]).all()


def test_a_class_called_background_is_a_class_of_its_own():
    meta = dict(classes=('background', 'background', 'cat'), mask_values=(0, 1, 2))
    assert MaskClasses.of_meta(meta, 3).objects == [1, 2]


@pytest.mark.parametrize(
    'names, background',
    [(('road', 'car'), None), (('background', 'car'), 0), (('Background', 'car'), 0), (('_background_', 'car'), 0)],
)
def test_of_mmseg_s_data_sets(names, background):
    classes = MaskClasses.of_meta(dict(classes=names, palette=None), 2)
    assert classes.values == (0, 1) and classes.background == background
    label = np.array([[0, 1, 255]], np.uint8)
    drawn, shown, palette = classes.drawn(label)
    assert len(palette) == len(shown) + 1
    assert drawn.tolist() == ([[0, 1, 255]] if background == 0 else [[1, 2, 255]])


def test_numbers_where_nobody_named_the_classes():
    assert MaskClasses.of_meta({}, 3).names == ('background', '1', '2')
    assert MaskClasses.of_meta(dict(classes=('a',)), 3).names == ('background', '1', '2')
