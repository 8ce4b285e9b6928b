import numpy as np
import pytest
import torch
from PIL import Image

from mmamr.apis.inputs import list_photos, photos_in, read_photo, result_names
from mmamr.utils import InputError

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    'photo',
    [
        RGB[..., ::-1],
        Image.fromarray(RGB),
        torch.from_numpy(RGB).permute(2, 0, 1),
        torch.from_numpy(RGB).permute(2, 0, 1).double() / 255,
    ],
)
def test_one_photo_in_every_form(photo):
    assert np.array_equal(read_photo(photo), RGB)


def test_files_and_greys(tmp_path):
    Image.fromarray(RGB).save(tmp_path / 'x.png')
    assert np.array_equal(read_photo(tmp_path / 'x.png'), RGB)
    grey = np.repeat(RGB[..., :1], 3, 2)
    for one in (RGB[..., 0], Image.fromarray(RGB[..., 0]), torch.from_numpy(RGB[None, ..., 0].copy())):
        assert np.array_equal(read_photo(one), grey)
    assert np.array_equal(read_photo(Image.fromarray(RGB[..., 0].astype(np.uint16) * 257)), grey)


def test_a_pil_image_is_turned_as_its_file_would_be():
    image = Image.fromarray(RGB)
    image.getexif()[0x0112] = 6
    assert read_photo(image).shape == (9, 6, 3)


def test_lists_folders_and_batches(tmp_path):
    for name in ('b.JPG', 'sub/a.png', 'notes.txt', '.hidden.jpg', '.tmp/c.jpg', 'out/d.jpg'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    assert photos_in(str(tmp_path), [str(tmp_path / 'out')]) == [str(tmp_path / 'b.JPG'), str(tmp_path / 'sub/a.png')]
    assert len(list_photos(tmp_path)) == 3
    assert list_photos('x.jpg') == ['x.jpg']
    assert len(list_photos([torch.zeros(2, 3, 4, 5), RGB, Image.fromarray(RGB), str(tmp_path / 'sub')])) == 5
    (tmp_path / 'empty').mkdir()
    with pytest.raises(InputError, match='no photo in it'):
        list_photos(tmp_path / 'empty')
    with pytest.raises(TypeError, match='int'):
        list_photos([3])


@pytest.mark.parametrize(
    'photos, names',
    [
        ([('x.jpg', '/p/x.jpg'), ('s/y.png', '/p/s/y.png')], ['x', 's/y']),
        ([('x.jpg', '/p/x.jpg'), ('x.png', '/p/x.png')], ['x.jpg', 'x.png']),
        ([('x.jpg', '/p/a/x.jpg'), ('x.jpg', '/p/b/x.jpg')], ['a/x', 'b/x']),
        ([('x.jpg', '/p/a/x.jpg'), ('x.png', '/p/b/x.png')], ['x.jpg', 'x.png']),
        ([('X.jpg', '/p/X.jpg'), ('x.jpg', '/q/x.jpg')], ['p/X', 'q/x']),
        ([('x.tar.jpg', '/p/x.tar.jpg'), ('x.jpg', '/p/x.jpg')], ['x.tar', 'x']),
    ],
)
def test_names_of_results_never_collide(photos, names):
    assert result_names(photos) == names
    assert result_names(photos[::-1]) == names[::-1]


def test_names_differ_even_where_they_hardly_can():
    photos = [('x.jpg', '/p/x.jpg'), ('x.jpg', '/p/x.JPG'), ('X.jpg', '/p/X.jpg'), ('x.png', '/p/x.png')]
    names = result_names(photos)
    assert len({name.casefold() for name in names}) == 4
