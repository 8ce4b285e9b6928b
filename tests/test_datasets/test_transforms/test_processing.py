import random

import numpy as np
import pytest

from mmamr.datasets import RandomCropPad, RandomLongSideResize, RandomSquareErase
from mmamr.registry import TRANSFORMS

MEAN = (103.53, 116.28, 123.675)


@pytest.fixture(autouse=True)
def seed():
    random.seed(0)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def run(transform, image):
    return transform(dict(img=image.copy(), img_shape=image.shape[:2]))


def test_long_side_resize(image):
    transform = TRANSFORMS.build(dict(type='RandomLongSideResize', long_side=(40, 60)))
    assert isinstance(transform, RandomLongSideResize)
    seen = set()
    for _ in range(200):
        results = run(transform, image)
        height, width = results['img'].shape[:2]
        assert results['img_shape'] == (height, width) and height == round(width * 30 / 50)
        seen.add(width)
    assert seen == set(range(40, 61))
    tall = run(RandomLongSideResize((64, 64)), image.transpose(1, 0, 2))
    assert tall['img'].shape == (64, 38, 3) and tall['img'].dtype == np.uint8


def test_long_side_resize_is_pillows_bicubic(image):
    from PIL import Image

    out = run(RandomLongSideResize((25, 25)), image)['img']
    assert (out == np.asarray(Image.fromarray(image).resize((25, 15), Image.BICUBIC))).all()
    nearest = run(RandomLongSideResize((25, 25), interpolation='nearest'), image)['img']
    assert (nearest == np.asarray(Image.fromarray(image).resize((25, 15), Image.NEAREST))).all()


def test_crop_of_a_large_image(image):
    transform = TRANSFORMS.build(dict(type='RandomCropPad', size=20, pad_value=(1, 2, 3)))
    assert isinstance(transform, RandomCropPad)
    places = set()
    for _ in range(200):
        results = run(transform, image)
        crop = results['img']
        assert crop.shape == (20, 20, 3) and crop.dtype == np.uint8 and results['img_shape'] == (20, 20)
        found = [(y, x) for y in range(11) for x in range(31) if (image[y : y + 20, x : x + 20] == crop).all()]
        assert len(found) == 1
        places.add(found[0])
    assert {y for y, _ in places} == set(range(11)) and {0, 30} <= {x for _, x in places}


def test_padding_of_a_small_image_is_zero_after_normalisation(image):
    transform = RandomCropPad(size=64)
    offsets = set()
    for _ in range(50):
        square = run(transform, image)['img']
        assert square.shape == (64, 64, 3) and square.dtype == np.float32
        normalised = square - np.float32(MEAN)
        inside = (normalised != 0).any(axis=2)
        y, x = np.argwhere(inside).min(axis=0)
        offsets.add((y, x))
        assert (square[y : y + 30, x : x + 50] == image).all()
        normalised[y : y + 30, x : x + 50] = 0
        assert (normalised == 0).all()
    assert len(offsets) > 20


def test_crop_along_one_axis_and_pad_along_the_other(image):
    square = run(RandomCropPad(size=40, pad_value=(0, 0, 0)), image)['img']
    rows = (square != 0).any(axis=(1, 2))
    assert rows.sum() == 30 and square.dtype == np.uint8
    same = run(RandomCropPad(size=30), image[:, :30])['img']
    assert (same == image[:, :30]).all()


def test_erase(image):
    transform = TRANSFORMS.build(dict(type='RandomSquareErase', num=2, size=5, fill_value=(300, 0, 0)))
    assert isinstance(transform, RandomSquareErase)
    counts = set()
    for _ in range(50):
        before = dict(img=image, img_shape=image.shape[:2])
        erased = (transform(before)['img'] == (300, 0, 0)).all(axis=2)
        counts.add(int(erased.sum()))
    assert max(counts) == 50 and min(counts) >= 25
    assert image.max() < 256  # the input itself is not painted

    everything = run(RandomSquareErase(num=1, size=128, fill_value=(9, 9, 9)), image)['img']
    assert (everything == 9).all() and everything.dtype == np.uint8
    assert np.array_equal(np.unique(run(RandomSquareErase(size=64), image)['img']), np.float32(MEAN))


def test_the_seed_decides(image):
    transforms = RandomLongSideResize((20, 60)), RandomCropPad(32), RandomSquareErase(2, 8)

    def augment():
        random.seed(3)
        results = dict(img=image)
        for transform in transforms:
            results = transform(results)
        return results['img']

    assert np.array_equal(augment(), augment())


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='RandomLongSideResize', long_side=(5, 4)),
        dict(type='RandomLongSideResize', long_side=(0, 4)),
        dict(type='RandomCropPad', size=0),
        dict(type='RandomSquareErase', num=0),
        dict(type='RandomSquareErase', size=0),
    ],
)
def test_wrong_arguments(cfg):
    with pytest.raises(ValueError, match=r'must be'):
        TRANSFORMS.build(cfg)


def test_repr():
    assert repr(RandomLongSideResize()) == "RandomLongSideResize(long_side=(320, 640), interpolation='bicubic')"
    assert repr(RandomCropPad(8, (0, 0, 0))) == 'RandomCropPad(size=8, pad_value=(0, 0, 0))'
    assert repr(RandomSquareErase(1, 2, (0, 0, 0))) == 'RandomSquareErase(num=1, size=2, fill_value=(0, 0, 0))'
