import os
import stat

import numpy as np
import pytest
from PIL import Image

from mmamr.utils import atomic_write, write_png


@pytest.mark.parametrize('mode, content, options', [('wb', b'new', {}), ('w', 'ξ\n', dict(encoding='utf-8'))])
def test_writes(tmp_path, mode, content, options):
    path = tmp_path / 'new' / 'folder' / 'file'
    with atomic_write(str(path), mode, **options) as file:
        file.write(content)
        assert not path.exists()
    read = path.read_bytes()
    assert read == (content if mode == 'wb' else content.encode())
    assert os.listdir(path.parent) == ['file']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_keeps_the_old_file_after_an_exception(tmp_path, error):
    path = tmp_path / 'file'
    path.write_bytes(b'old')
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b'half of the n')
        raise error
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['file']


def test_permissions_are_those_of_open(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / 'file') as file:
            file.write(b'x')
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / 'file').stat().st_mode) == 0o640


def test_long_names(tmp_path):
    path = tmp_path / ('x' * 250)
    with atomic_write(path) as file:
        file.write(b'x')
    assert path.read_bytes() == b'x'


def test_png_with_palette(tmp_path):
    labels = np.array([[0, 1], [255, 1]], dtype=np.uint8)
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[1] = (128, 0, 0)
    palette[255] = (224, 224, 192)
    write_png(tmp_path / 'a.png', labels, palette)
    with Image.open(tmp_path / 'a.png') as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.asarray(image), labels)
        np.testing.assert_array_equal(np.asarray(image.convert('RGB'))[0, 1], (128, 0, 0))


@pytest.mark.parametrize('shape, mode', [((3, 4), 'L'), ((3, 4, 3), 'RGB')])
def test_png_without_palette(tmp_path, shape, mode):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_png(tmp_path / 'a.png', array[:, ::-1])
    write_png(tmp_path / 'b.png', array[:, ::-1].copy())
    with Image.open(tmp_path / 'a.png') as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), array[:, ::-1])
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
