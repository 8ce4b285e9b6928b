import os
import warnings

import numpy as np
import pytest
from PIL import Image

from mmamr.fileio import read_image, read_mask, read_size, read_stored_mask
from mmamr.structures import ClassIndex
from mmamr.utils import DatasetError, InputError

INDEX = ClassIndex(('disc', 'square', 'cross'))


@pytest.fixture
def photo():
    y, x = np.mgrid[:40, :50]
    return np.stack([4 * y, 3 * x, 2 * (x + y)], axis=-1).astype(np.uint8)


def cut(path, share=0.6):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


@pytest.mark.parametrize(
    'mode, suffix',
    [('RGB', 'jpg'), ('CMYK', 'jpg'), ('L', 'jpg'), ('P', 'png'), ('RGBA', 'png'), ('LA', 'png'), ('1', 'png')],
)
def test_any_mode_is_read_as_bgr(tmp_path, photo, mode, suffix):
    path = tmp_path / f'photo.{suffix}'
    Image.fromarray(photo).convert(mode).save(path)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        image = read_image(path)
    assert image.shape == (40, 50, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    if mode in ('RGB', 'CMYK', 'RGBA'):
        assert abs(image[..., ::-1].astype(int) - photo).mean() < 4
    if mode in ('L', 'LA'):
        assert (image[..., 0] == image[..., 2]).all()
    assert read_size(path) == (40, 50)


def test_palette_with_transparency(tmp_path, photo):
    path = tmp_path / 'photo.png'
    Image.fromarray(photo).quantize(8).save(path, transparency=bytes([0, 128] + [255] * 6))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert read_image(path).shape == (40, 50, 3)


def test_16_bit_grey_is_scaled_not_clipped(tmp_path):
    path = tmp_path / 'deep.png'
    grey = np.linspace(0, 65535, 2000).reshape(40, 50).astype(np.uint16)
    Image.fromarray(grey).save(path)
    assert (read_image(path)[..., 0] == grey >> 8).all()


def test_orientation_is_that_of_the_file(tmp_path, photo):
    path = tmp_path / 'photo.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter
    Image.fromarray(photo).save(path, exif=exif)
    assert read_image(path).shape[:2] == read_size(path) == (40, 50)


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_broken_images_end_with_one_line(tmp_path, photo, suffix):
    path = tmp_path / f'photo.{suffix}'
    with pytest.raises(DatasetError, match=r'photo\.\w+: no such image; put it there') as caught:
        read_image(path)
    assert caught.value.kind == 'missing image'
    Image.fromarray(photo).save(path)
    cut(path)
    with pytest.raises(DatasetError, match=r'photo\.\w+: truncated or broken image .* again') as caught:
        read_image(path)
    assert caught.value.kind == 'broken image' and len(str(caught.value).splitlines()) == 1
    path.write_bytes(b'')
    for read in (read_image, read_size):
        with pytest.raises(DatasetError, match=r'no known image format'):
            read(path)
    with pytest.raises(DatasetError, match=r'no such image'):
        read_size(tmp_path / 'none.jpg')


def test_masks(tiny_voc):
    path = tiny_voc / 'SegmentationClass' / 'img_00.png'
    mask = read_mask(path, INDEX, (48, 64))
    assert mask.shape == (48, 64) and set(np.unique(mask)) == {0, 1, 2, 255}
    Image.fromarray(np.asarray(Image.open(path))).save(path)  # grey, without palette
    assert (read_mask(path, INDEX) == mask).all()


def test_wrong_masks_end_with_one_line(tiny_voc):
    path = tiny_voc / 'SegmentationClass' / 'img_00.png'
    with pytest.raises(DatasetError, match=r'img_00.png: the mask is 64x48, its image 50x40; make') as caught:
        read_mask(path, INDEX, (40, 50))
    assert caught.value.kind == 'mask of another size'
    with pytest.raises(DatasetError, match=r'img_00.png: mask values \[2\] belong to no class'):
        read_mask(path, ClassIndex(('disc',)))
    Image.open(path).convert('RGB').save(path)
    with pytest.raises(DatasetError, match=r'img_00.png: the mask has mode RGB.*indexed') as caught:
        read_mask(path, INDEX)
    assert caught.value.kind == 'coloured mask'
    cut(path)
    with pytest.raises(DatasetError, match=r'img_00.png') as caught:
        read_mask(path, INDEX)
    cut(path, 0.1)
    with pytest.raises(DatasetError, match=r'img_00.png: broken mask') as caught:
        read_mask(path, INDEX)
    assert caught.value.kind == 'broken mask'
    path.unlink()
    with pytest.raises(DatasetError, match=r'img_00.png: no such mask') as caught:
        read_mask(path, INDEX)
    assert caught.value.kind == 'missing mask'


def test_only_formats_that_are_named_are_opened(tmp_path, photo):
    """An EPS would start Ghostscript, whatever it is called."""
    Image.fromarray(photo).save(tmp_path / 'photo.eps')
    (tmp_path / 'photo.eps').rename(tmp_path / 'photo.jpg')
    with pytest.raises(DatasetError, match=r'photo\.jpg: truncated or broken image \(no known image format\)'):
        read_image(str(tmp_path / 'photo.jpg'))
    with pytest.raises(DatasetError, match='no known image format'):
        read_size(str(tmp_path / 'photo.jpg'))


@pytest.mark.parametrize('read', [read_image, read_size])
def test_only_regular_files_are_opened(tmp_path, read):
    os.mkfifo(tmp_path / 'pipe.jpg')  # reading it would wait for ever
    (tmp_path / 'folder.jpg').mkdir()
    for name in ('pipe.jpg', 'folder.jpg'):
        with pytest.raises(DatasetError, match=rf'{name}: truncated or broken image \(no regular file\)'):
            read(str(tmp_path / name))


def test_sizes_are_bounded_before_anything_is_decoded(tmp_path, monkeypatch):
    path = str(tmp_path / 'large.png')
    Image.new('1', (20_000, 10_000)).save(path)
    monkeypatch.setattr(Image.Image, 'convert', lambda *args: pytest.fail('it was decoded'))
    for read in (read_image, read_size, read_stored_mask):
        with pytest.raises(
            DatasetError, match=r'large\.png: 20000x10000 are 200 million pixels, more than the 100'
        ) as one:
            read(path)
        assert '\n' not in str(one.value) and 'MMAMR_MAX_PIXELS' in str(one.value)
    monkeypatch.setenv('MMAMR_MAX_PIXELS', '200_000_000')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert read_size(path) == (10_000, 20_000)
    for text in ('many', '0', '-5'):
        monkeypatch.setenv('MMAMR_MAX_PIXELS', text)
        with pytest.raises(InputError, match=f'MMAMR_MAX_PIXELS={text} in the environment is no number of pixels'):
            read_size(path)
