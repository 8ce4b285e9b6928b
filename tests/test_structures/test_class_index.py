import numpy as np
import pytest

from mmamr.structures import VOC_CLASSES, ClassIndex, voc_palette
from mmamr.utils import DatasetError

ANIMALS = dict(classes=('cat', 'cow', 'dog', 'horse', 'sheep'), mask_values=(8, 10, 12, 13, 17))


def test_masks_there_and_back():
    index = ClassIndex(**ANIMALS)
    stored = np.array([[0, 8, 17], [255, 12, 0]], dtype=np.uint8)
    encoded = index.encode_mask(stored)
    assert encoded.dtype == np.uint8
    assert encoded.tolist() == [[0, 1, 5], [255, 3, 0]]
    assert index.decode_mask(encoded).tolist() == stored.tolist()
    assert index.labels_in_mask(stored) == [0, 2, 4]
    assert index.num_classes == 5


def test_mask_values_are_1_to_k_by_default():
    assert ClassIndex(VOC_CLASSES).mask_values == tuple(range(1, 21))


def test_values_that_no_class_has():
    index = ClassIndex(**ANIMALS)
    with pytest.raises(DatasetError, match=r'values \[1, 254\] belong to no class.*mask_values') as caught:
        index.encode_mask(np.array([[0, 1, 254, 255]], dtype=np.uint8))
    assert caught.value.kind == 'unknown mask value'
    with pytest.raises(DatasetError, match=r'\[9\]'):
        index.labels_in_mask(np.array([[9]], dtype=np.uint8))
    with pytest.raises(ValueError, match=r'\[6\] are neither 0 to 5'):
        index.decode_mask(np.array([6]))
    with pytest.raises(ValueError, match=r'\[-1\]'):
        index.decode_mask(np.array([-1]))


def test_names():
    index = ClassIndex(**ANIMALS)
    assert index.labels_of_names(['sheep', 'cat', 'sheep']) == [0, 4]
    assert index.labels_of_names([]) == []
    with pytest.raises(DatasetError, match=r"unknown class 'Cat', 'unicorn', the classes are cat, cow"):
        index.labels_of_names(['Cat', 'unicorn', 'dog'])


def test_palette():
    index = ClassIndex(**ANIMALS)
    assert index.palette.shape == (6, 3)
    assert index.palette[1].tolist() == voc_palette()[8].tolist() == [64, 0, 0]
    mine = ClassIndex(('a',), (7,), palette=[(1, 2, 3), (4, 5, 6)])
    assert mine.png_palette[7].tolist() == [4, 5, 6]
    assert mine.png_palette[0].tolist() == mine.palette[0].tolist() == [1, 2, 3]
    assert voc_palette()[[1, 15, 20, 255]].tolist() == [[128, 0, 0], [192, 128, 128], [0, 64, 128], [224, 224, 192]]


@pytest.mark.parametrize(
    'wrong, message',
    [
        (dict(classes=()), 'at least one'),
        (dict(classes=('a', 'a')), 'different names'),
        (dict(classes=('a', 'b'), mask_values=(1,)), '2 different values'),
        (dict(classes=('a', 'b'), mask_values=(1, 1)), '2 different values'),
        (dict(classes=('a',), mask_values=(0,)), 'between 1 and 254'),
        (dict(classes=('a',), mask_values=(255,)), 'between 1 and 254'),
        (dict(classes=('a',), palette=[(0, 0, 0)]), '2 RGB colours'),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        ClassIndex(**wrong)
