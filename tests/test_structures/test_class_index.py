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
    assert (ClassIndex(VOC_CLASSES).png_palette == voc_palette()).all()
    assert voc_palette()[[1, 15, 20, 255]].tolist() == [[128, 0, 0], [192, 128, 128], [0, 64, 128], [224, 224, 192]]


@pytest.mark.parametrize(
    'wrong, message',
    [
        (dict(classes=()), 'at least one'),
        (dict(classes=('a', 'a')), 'different names'),
        (dict(classes=('a', 'b'), mask_values=(1,)), '2 different values'),
        (dict(classes=('a', 'b'), mask_values=(1, 1)), '2 different values'),
        (dict(classes=('a',), mask_values=(0,)), '0 is there twice'),
        (dict(classes=('a',), mask_values=(255,), ignore_values=(255,)), '255 is there twice'),
        (dict(classes=('a',), background_value=1), '1 is there twice'),
        (dict(classes=('a',), mask_values=(256,)), r'between 0 and 255, got \[256\]'),
        (dict(classes=('a',), mask_values=('1',)), 'between 0 and 255'),
        (dict(classes=('a',), ignore_values=(-1,)), 'between 0 and 255'),
        (dict(classes=('a',), mask_colors='b'), "'palette' or 'values', got 'b'"),
        (dict(classes=('a', 'b'), mask_colors=dict(a=(0, 0, 1))), 'no colour of b, only of a'),
        (dict(classes=('a',), mask_colors=dict(a=(0, 0))), "'a' needs RGB colours"),
        (dict(classes=('a',), mask_colors=dict(a=(0, 0, 256))), "'a' needs numbers from 0 to 255"),
        (dict(classes=('a',), mask_colors=dict(a=(0, 0, 0))), "needs a colour of 'background', since 'a' is black"),
        (dict(classes=('a', 'b'), mask_colors=dict(a=(1, 2, 3), b=(1, 2, 3))), r"\(1, 2, 3\) twice, once as 'b'"),
        (dict(classes=tuple(map(str, range(255))), mask_values=range(255)), '254 classes at most'),
        (dict(classes=('a',) * 300), 'different names, at least one, got a$'),
        (dict(classes=('a',), palette=[(0, 0, 0)]), '2 RGB colours'),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        ClassIndex(**wrong)


def test_masks_of_the_pets():
    """1 is the animal, 2 the background, 3 does not count."""
    index = ClassIndex(('pet',), background_value=2, ignore_values=3)
    stored = np.array([[1, 2, 3]], dtype=np.uint8)
    assert index.encode_mask(stored).tolist() == [[1, 0, 255]]
    assert index.decode_mask(np.array([[1, 0, 255]])).tolist() == stored.tolist()
    assert index.labels_in_mask(stored) == [0]
    with pytest.raises(DatasetError, match=r'mask values \[0\] belong to no class, expected \[2, 1, 3\]'):
        index.encode_mask(np.array([[0]], dtype=np.uint8))


def test_masks_of_0_and_255():
    index = ClassIndex('cat', 255)
    assert index.classes == ('cat',) and index.ignore_values == ()
    assert index.encode_mask(np.array([0, 255], dtype=np.uint8)).tolist() == [0, 1]
    # what is unsure must be written all the same
    written = index.decode_mask(np.array([0, 1, 255]))
    assert written.tolist() == [0, 255, 254] and index.encode_mask(written).tolist() == [0, 1, 255]
    with pytest.raises(DatasetError, match=r'mask values \[200\].*expected \[0, 255\]; set mask_values'):
        index.encode_mask(np.array([0, 200], dtype=np.uint8))


def test_several_values_do_not_count():
    index = ClassIndex(('a', 'b'), ignore_values=(200, 255, 0), background_value=9)
    assert index.encode_mask(np.array([0, 1, 2, 9, 200, 255], dtype=np.uint8)).tolist() == [255, 1, 2, 0, 255, 255]
    assert index.decode_mask(np.array([0, 255])).tolist() == [9, 200]


def test_colours():
    colors = dict(background=(9, 9, 9), cat=[(200, 0, 0), (210, 0, 0)], void=(1, 1, 1), tree=(0, 200, 0))
    index = ClassIndex(('cat',), mask_colors=colors)
    pixels = np.array([[[9, 9, 9], [200, 0, 0], [210, 0, 0], [1, 1, 1]]], dtype=np.uint8)
    assert index.encode_mask(pixels).tolist() == [[0, 1, 1, 255]]
    assert index.palette.tolist() == [[9, 9, 9], [200, 0, 0]]
    assert index.png_palette[[0, 1, 255]].tolist() == [[9, 9, 9], [200, 0, 0], [1, 1, 1]]
    with pytest.raises(DatasetError, match="the colours of 'tree' belong to no class"):
        index.encode_mask(np.array([[[0, 200, 0]]], dtype=np.uint8))
    with pytest.raises(DatasetError, match=r'the colours \(0, 0, 7\) belong') as caught:
        index.encode_mask(np.array([[[0, 0, 7], [9, 9, 9]]], dtype=np.uint8))
    assert caught.value.kind == 'unknown mask colour'
    many = np.stack([np.arange(1, 100)] * 3, -1)[None].astype(np.uint8) * np.array([1, 2, 1], dtype=np.uint8)
    with pytest.raises(DatasetError, match=r'the colours .* and 96 more belong'):
        index.encode_mask(many)


def test_what_was_written_is_read_back():
    """Whatever the colours: the palette that is written never contradicts the values."""
    cream = (224, 224, 192)
    for index in (
        ClassIndex(('a', 'b'), palette=[(0, 0, 0), cream, (0, 0, 0)]),
        ClassIndex(('a', 'b'), palette=[(7, 7, 7)] * 3),
        ClassIndex(('a', 'b'), (255, 3), background_value=1, mask_colors='palette'),
        ClassIndex(('b', 'a'), mask_colors=dict(a=cream, b=(0, 0, 0), background=(255, 255, 255))),
        ClassIndex(('background', 'void'), mask_colors=dict(background=(1, 1, 1), void=(2, 2, 2))),
        ClassIndex(tuple(map(str, range(254)))),
    ):
        for label in ([0], [1], [2], [255], [0, 1, 2, 255], [1, 255], [0, 2]):
            written = index.decode_mask(np.array(label))
            assert index.encode_mask(written, index.png_palette).tolist() == label


def test_palettes_of_others_leave_the_values_alone():
    index = ClassIndex(**ANIMALS)
    mask = np.array([0, 8, 255], dtype=np.uint8)
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    for palette in (grey, grey[:0], np.zeros((256, 3), np.uint8), voc_palette()):
        assert index.encode_mask(mask, palette).tolist() == [0, 1, 255]


def test_metainfo_there_and_back():
    for index in (
        ClassIndex(**ANIMALS),
        ClassIndex(('pet',), background_value=2, ignore_values=(3,)),
        ClassIndex(('cat',), (255,), mask_colors=dict(cat=(1, 2, 3))),
        ClassIndex(tuple(map(str, range(300)))),
    ):
        again = ClassIndex.from_metainfo(dict(index.metainfo(), other=1))
        for name in ('classes', 'mask_values', 'background_value', 'ignore_values', 'mask_colors'):
            assert getattr(again, name) == getattr(index, name)
        assert (again.palette == index.palette).all()
    assert ClassIndex(**ANIMALS).metainfo().keys() == {'classes', 'mask_values', 'palette'}


def test_more_classes_than_a_mask_has():
    """CAMs know any number of classes; masks and labels end with one line that does not list them."""
    index = ClassIndex(tuple(f'class {number}' for number in range(300)))
    assert index.num_classes == 300 and index.palette.shape == (301, 3)
    assert index.labels_of_names(['class 299']) == [299]
    for convert in (index.encode_mask, index.decode_mask, index.labels_in_mask):
        with pytest.raises(DatasetError, match='300 classes do not fit into a mask, which has 254 at most') as caught:
            convert(np.zeros((2, 2), dtype=np.uint8))
        assert len(str(caught.value)) < 200 and '\n' not in str(caught.value)
    with pytest.raises(DatasetError, match=r'the classes are class 0, class 1, class 2, …, class 299; mend') as caught:
        index.labels_of_names(['unicorn'])
    assert len(str(caught.value)) < 200
