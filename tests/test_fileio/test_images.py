import os
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from mmamr.fileio import (
    read_image,
    read_mask,
    read_mask_labels,
    read_orientation,
    read_rgb,
    read_size,
    read_stored_mask,
    read_truth,
)
from mmamr.fileio.images import to_8_bit
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


SEEN = np.array([[10, 60, 110], [160, 210, 250]], dtype=np.uint8)
"""A photo of 2x3 pixels, as people see it."""
STORED = {
    1: [[10, 60, 110], [160, 210, 250]],
    2: [[110, 60, 10], [250, 210, 160]],
    3: [[250, 210, 160], [110, 60, 10]],
    4: [[160, 210, 250], [10, 60, 110]],
    5: [[10, 160], [60, 210], [110, 250]],
    6: [[110, 250], [60, 210], [10, 160]],
    7: [[250, 110], [210, 60], [160, 10]],
    8: [[160, 10], [210, 60], [250, 110]],
}
"""How a camera stores it with each orientation: of 6, the first row is the right side of what people see, and the first
column its top."""


def save_turned(path, pixels, orientation, **kwargs):
    """Save pixels as stored, with an EXIF orientation; of TIFF a tag."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    if str(path).endswith('tif'):
        kwargs.update(tiffinfo={0x0112: orientation})
    else:
        kwargs.update(exif=exif)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **kwargs)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_grey_tiffs_keep_their_rows(tmp_path, dtype, orientation):
    """Pillow maps the file into memory, and takes one side for the other where they are swapped."""
    path = str(tmp_path / 'photo.tif')
    Image.fromarray(np.asarray(STORED[orientation], dtype=dtype)).save(path, tiffinfo={0x0112: orientation})
    assert (read_image(path) == SEEN[..., None]).all() and (read_stored_mask(path) == SEEN).all()


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['png', 'tif', 'webp'])
def test_photos_are_read_as_people_see_them(tmp_path, suffix, orientation):
    path = str(tmp_path / f'photo.{suffix}')
    stored = np.repeat(np.asarray(STORED[orientation], dtype=np.uint8)[..., None], 3, axis=2)
    save_turned(path, stored, orientation, **(dict(lossless=True) if suffix == 'webp' else {}))
    assert (read_image(path) == SEEN[..., None]).all()
    assert read_size(path) == (2, 3) and read_orientation(path) == orientation


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_of_a_jpeg(tmp_path, orientation):
    """Squares of 16 pixels keep their grey in a JPEG."""
    path = str(tmp_path / 'photo.jpg')
    save_turned(path, np.kron(STORED[orientation], np.ones((16, 16))), orientation, quality=95)
    image = read_image(path)
    assert image.shape == (32, 48, 3) and read_size(path) == (32, 48)
    assert abs(image[8::16, 8::16, 0].astype(int) - SEEN).max() <= 2
    small = read_image(path, max_long_side=24)
    assert small.shape == (16, 24, 3) and abs(small[4::8, 4::8, 0].astype(int) - SEEN).max() <= 4


@pytest.mark.parametrize('orientation', [0, 9, 1000])
def test_orientations_that_there_are_not(tmp_path, photo, orientation):
    path = str(tmp_path / 'photo.jpg')
    save_turned(path, photo, orientation)
    assert read_image(path).shape[:2] == read_size(path) == (40, 50)


@pytest.mark.filterwarnings('ignore:Corrupt EXIF data')
def test_damaged_exif_is_no_orientation(tmp_path, photo):
    path = str(tmp_path / 'photo.jpg')
    for exif in (b'Exif\0\0', b'Exif\0\0II*\0\xff\xff\xff\xff', b'Exif\0\0garbage garbage'):
        Image.fromarray(photo).save(path, exif=exif)
        assert read_image(path).shape[:2] == read_size(path) == (40, 50) and read_orientation(path) == 1


def test_masks_are_turned_by_their_own_orientation_or_by_that_of_the_photo(tmp_path):
    seen = np.array([[0, 1, 2], [3, 255, 0]])
    mask, photo = str(tmp_path / 'mask.png'), str(tmp_path / 'photo.png')
    stored = [[2, 0], [1, 255], [0, 3]]  # as 6 has it
    save_turned(photo, STORED[6], 6)
    save_turned(mask, stored, 6)
    for rotate in (False, True):
        assert (read_mask(mask, INDEX, (2, 3), photo, rotate) == seen).all()
    assert (read_stored_mask(mask) == seen).all()
    Image.fromarray(np.asarray(seen, dtype=np.uint8)).save(mask)
    assert (read_mask(mask, INDEX, (2, 3), photo) == seen).all()
    with pytest.raises(DatasetError, match=r'mask is 2x3, its image 3x2; .*EXIF.*leave out rotate_masks=True'):
        read_mask(mask, INDEX, (2, 3), photo, rotate=True)
    Image.fromarray(np.asarray(stored, dtype=np.uint8)).save(mask)
    assert (read_mask(mask, INDEX, (2, 3), photo, rotate=True) == seen).all()
    item = dict(img_path=photo, seg_map_path=mask, rotate_masks=True)
    assert (read_truth(item, INDEX) == seen).all()
    with pytest.raises(DatasetError, match=r'mask is 2x3, its image 3x2; .*EXIF.*set rotate_masks=True') as caught:
        read_truth(dict(item, rotate_masks=False), INDEX)
    assert caught.value.kind == 'mask of another size' and '\n' not in str(caught.value)
    save_turned(photo, SEEN, 1)
    with pytest.raises(DatasetError, match=r'; make the mask at the size of the image$'):
        read_truth(dict(item, rotate_masks=False), INDEX)


def test_photos_within_a_long_side(tmp_path, photo):
    for name in ('photo.jpg', 'photo.png'):
        path = str(tmp_path / name)
        Image.fromarray(photo).save(path)
        small = read_image(path, max_long_side=25)
        assert small.shape == (20, 25, 3)
        averages = photo.reshape(20, 2, 25, 2, 3).mean((1, 3))
        assert abs(small[..., ::-1] - averages).mean() < 4
        assert (read_image(path, max_long_side=50) == read_image(path)).all()
    Image.fromarray(photo[:1]).save(path)
    assert read_image(path, max_long_side=1).shape == (1, 1, 3)
    assert (read_rgb(path, max_long_side=10) == read_image(path, 10)[..., ::-1]).all()


NUMBERS = [
    ('8 of 16 bits', np.array([0, 128, 255], np.uint16), [0, 128, 255]),
    ('12 of 16 bits', np.array([0, 2048, 4095], np.uint16), [0, 128, 255]),
    ('14 of 16 bits', np.array([0, 8192, 16383], np.uint16), [0, 128, 255]),
    ('16 bits', np.array([0, 32768, 65535], np.uint16), [0, 128, 255]),
    ('int32 of 12 bits', np.array([0, 2048, 4095], np.int32), [0, 128, 255]),
    ('negative int32', np.array([-100, 0, 100], np.int32), [0, 128, 255]),
    ('large int32', np.array([0, 100_000, 200_000], np.int32), [0, 128, 255]),
    ('shares', np.array([0, 0.5, 1], np.float32), [0, 128, 255]),
    ('dark shares', np.array([0, 0.1, 0.2], np.float32), [0, 26, 51]),
    ('bytes as floats', np.array([0, 127.6, 255], np.float32), [0, 128, 255]),
    ('kelvin', np.array([280, 290, 300], np.float32), [0, 128, 255]),
    ('no numbers', np.array([np.nan, 0, 0.5, 1, np.inf], np.float32), [0, 0, 128, 255, 255]),
    ('constant', np.array([300, 300], np.float32), [0, 0]),
    ('none', np.array([np.nan, np.inf], np.float32), [0, 0]),
]


@pytest.mark.parametrize('values, wanted', [one[1:] for one in NUMBERS], ids=[one[0] for one in NUMBERS])
def test_numbers_become_bytes_by_their_real_range(tmp_path, values, wanted):
    assert to_8_bit(values).tolist() == wanted
    path = str(tmp_path / 'photo.tif')
    Image.fromarray(values[None]).save(path)
    assert read_image(path).tolist() == [[[value] * 3 for value in wanted]]
    assert read_size(path) == (1, len(wanted))


@pytest.mark.parametrize('channels', [3, 4])
@pytest.mark.parametrize('bits', [12, 16])
def test_colours_of_16_bits(tmp_path, bits, channels):
    """PIL takes the upper eight bits: a photo of twelve bits would be black."""
    path = str(tmp_path / 'photo.png')
    pixels = np.random.default_rng(0).integers(0, 1 << bits, (4, 5, channels)).astype(np.uint16)
    pixels[0, 0, :3] = (1 << bits) - 1
    assert cv2.imwrite(path, pixels)
    assert (read_image(path) == pixels[..., :3] >> (bits - 8)).all()


def test_first_picture_of_an_animation_or_of_several_pages(tmp_path):
    pictures = [Image.new('RGB', (4, 3), (value, value, value)) for value in (200, 50, 100)]
    for name in ('photo.gif', 'photo.webp', 'photo.tif', 'photo.png'):
        options = dict(lossless=True) if name.endswith('webp') else {}
        pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], **options)
        assert (read_image(str(tmp_path / name)) == 200).all()


@pytest.mark.parametrize('name', ['a.webp', 'a.Jpg', 'a.JPEG', 'a.bmp', 'a.tif', 'a.TIFF', 'a.gif', 'a.ppm'])
def test_formats(tmp_path, name):
    path = str(tmp_path / name)
    Image.new('RGB', (4, 3), (250, 128, 0)).save(path)
    assert abs(read_image(path)[..., ::-1].astype(int) - (250, 128, 0)).max() < 12
    assert read_size(path) == (3, 4)


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
    with pytest.raises(
        DatasetError, match=r'img_00.png: the colours \(.* belong to no class; name .*mask_col'
    ) as caught:
        read_mask(path, INDEX)
    assert caught.value.kind == 'unknown mask colour'
    with pytest.raises(DatasetError, match=r'img_00.png: the mask has colours.*indexed') as caught:
        read_stored_mask(path)
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


CAT_AND_DOG = dict(cat=(64, 0, 0), dog=(64, 0, 128))


def test_masks_in_colours(tmp_path):
    """In those of the palette, or in those that were named; with alpha, and as PNG, BMP or WebP."""
    colours = np.array([[[0, 0, 0], [64, 0, 0], [64, 0, 128], [224, 224, 192]]], dtype=np.uint8)
    voc = ClassIndex(('cat', 'dog'), (8, 12))
    for name, alpha in (('mask.png', False), ('mask.png', True), ('mask.bmp', False)):
        image = Image.fromarray(colours)
        (image.convert('RGBA') if alpha else image).save(tmp_path / name)
        assert read_mask(str(tmp_path / name), voc).tolist() == [[0, 1, 2, 255]]
        assert read_mask_labels(str(tmp_path / name), voc) == [0, 1]
        named = ClassIndex(('dog', 'cat'), mask_colors=CAT_AND_DOG)
        assert read_mask(str(tmp_path / name), named).tolist() == [[0, 2, 1, 255]]


def test_grey_masks_that_are_saved_in_colours(tmp_path):
    path = str(tmp_path / 'mask.png')
    values = np.array([[0, 255, 255]], dtype=np.uint8)
    for image in (
        Image.fromarray(values),
        Image.fromarray(values).convert('RGB'),
        Image.fromarray(values).convert('LA'),
    ):
        image.save(path)
        assert read_mask(path, ClassIndex('cat', 255)).tolist() == [[0, 1, 1]]
    Image.fromarray(values > 0).save(path)
    assert read_mask(path, ClassIndex('cat')).tolist() == [[0, 1, 1]]
    Image.fromarray(np.array([[0, 2, 255]], dtype=np.uint16)).save(path)
    assert read_mask(path, INDEX).tolist() == [[0, 2, 255]]
    Image.fromarray(np.array([[0, 2, 300]], dtype=np.uint16)).save(path)
    with pytest.raises(DatasetError, match=r'mask.png: the mask has values up to 300, but .* up to 255'):
        read_mask(path, INDEX)


def test_a_palette_of_another_order(tmp_path):
    """A mask in VOC's colours that a program made indexed, with an order of its own."""
    path = str(tmp_path / 'mask.png')
    image = Image.fromarray(np.array([[0, 1, 2, 2]], dtype=np.uint8))
    image.putpalette([64, 0, 0, 64, 0, 128, 0, 0, 0])  # cat, dog, background
    image.save(path)
    voc = dict(classes=('cat', 'dog'), mask_values=(8, 12))
    with pytest.raises(DatasetError, match=r"value 0 has the colour \(64, 0, 0\) of cat .* 'palette' if") as caught:
        read_mask(path, ClassIndex(**voc))
    assert caught.value.kind == 'palette of another order' and '\n' not in str(caught.value)
    assert read_mask(path, ClassIndex(**voc, mask_colors='palette')).tolist() == [[1, 2, 0, 0]]
    assert read_mask(path, ClassIndex(**voc, mask_colors=CAT_AND_DOG)).tolist() == [[1, 2, 0, 0]]
    with pytest.raises(DatasetError, match=r'mask values \[1, 2\] belong to no class'):
        read_mask(path, ClassIndex(**voc, mask_colors='values'))
    values = ClassIndex(('cat', 'dog'), (1, 2), palette=[(0, 0, 0), *CAT_AND_DOG.values()], mask_colors='values')
    assert read_mask(path, values).tolist() == [[0, 1, 2, 2]]


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
