import pickle
import re
import tracemalloc
import zipfile

import numpy as np
import pytest

from mmamr.fileio import cam_is_valid, read_cam, write_cam
from mmamr.structures import CAM, strided_size
from mmamr.utils import InputError

SIZE = (13, 18)


def make_cam(classes=(1, 4), size=SIZE, branches=('spotlight', 'compensation'), **kwargs):
    rng = np.random.default_rng(0)
    shape = (len(classes), *strided_size(size))
    maps = {name: rng.random(shape, dtype=np.float32) for name in branches}
    return CAM(maps, np.array(classes, dtype=np.int64), size, **kwargs)


def assert_same(a, b):
    assert a.size == b.size and a.classes.tolist() == b.classes.tolist()
    assert a.maps.keys() == b.maps.keys()
    for name, maps in b.maps.items():
        np.testing.assert_array_equal(a.maps[name], maps.astype(np.float16))


@pytest.mark.parametrize('size, expected', [((1, 1), (1, 1)), ((4, 5), (1, 2)), ((375, 500), (94, 125))])
def test_strided_size(size, expected):
    assert strided_size(size) == expected


@pytest.mark.parametrize(
    'cam',
    [
        make_cam(),
        make_cam(classes=()),
        make_cam(branches=('someone-elses',), size=(1, 1)),
        make_cam(branches=('walk',), background=np.ones((2, 4, 5)), powers=np.array([16.0, 4.0])),
    ],
    ids=['two branches', 'no class', 'one pixel', 'background'],
)
def test_round_trip(tmp_path, cam):
    path = tmp_path / 'new' / 'folder' / 'a.npz'
    write_cam(str(path), cam)
    loaded = read_cam(path)
    assert_same(loaded, cam)
    assert {maps.dtype for maps in loaded.maps.values()} == {np.dtype(np.float16)}
    assert (loaded.background is None) == (cam.background is None)
    if cam.background is not None:
        np.testing.assert_array_equal(loaded.background, cam.background)
        np.testing.assert_array_equal(loaded.powers, cam.powers)
    assert cam_is_valid(path) and cam_is_valid(path, cam.size) and not cam_is_valid(path, (7, 7))


def test_same_cam_same_bytes(tmp_path):
    cam = make_cam()
    write_cam(tmp_path / 'a.npz', cam)
    cam.maps = dict(reversed(cam.maps.items()))
    cam.maps['spotlight'] = cam.maps['spotlight'].astype(np.float64)
    write_cam(tmp_path / 'b.npz', cam)
    assert (tmp_path / 'a.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()


def test_is_small(tmp_path):
    """A photo of 375x500 with one class and both branches: two maps of 94x125 in float16."""
    write_cam(tmp_path / 'a.npz', make_cam(classes=(3,), size=(375, 500)))
    assert (tmp_path / 'a.npz').stat().st_size < 2 * 94 * 125 * 2 + 1500


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match='run the CAM stage'):
        read_cam(tmp_path / 'none.npz')
    assert not cam_is_valid(tmp_path / 'none.npz')


def broken(path):
    with pytest.raises(InputError) as caught:
        read_cam(path)
    message = str(caught.value)
    assert message.startswith(f'{path} is not a CAM file (') and '\n' not in message and 'run the CAM stage' in message
    assert not cam_is_valid(path)
    return message


def test_cut_short_at_any_byte(tmp_path):
    path = tmp_path / 'a.npz'
    write_cam(path, make_cam())
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        broken(path)


def test_altered_at_any_byte(tmp_path):
    """Either the archive's checksums tell, or the maps that are read are those that were written."""
    path = tmp_path / 'a.npz'
    cam = make_cam()
    all_maps = cam.maps
    write_cam(path, cam)
    content = bytearray(path.read_bytes())
    refused = 0
    for place in range(0, len(content), 3):
        content[place] ^= 0x41
        path.write_bytes(content)
        content[place] ^= 0x41
        try:
            loaded = read_cam(path)
        except InputError as error:
            assert '\n' not in str(error)
            refused += 1
        else:
            cam.maps = {name: all_maps[name] for name in loaded.maps}
            assert_same(loaded, cam)
    assert refused > len(content) / 6


def test_pickles_are_refused(tmp_path):
    path = tmp_path / 'a.npz'
    path.write_bytes(pickle.dumps(dict(size=SIZE)))
    broken(path)
    np.savez(path, classes=np.array([0]), size=np.array(SIZE), **{'map.spotlight': np.array([None], dtype=object)})
    assert 'allow_pickle' in broken(path) or 'Object arrays' in broken(path)


MAPS = np.zeros((1, 4, 5), dtype=np.float16)
GOOD = {'classes': np.array([2]), 'size': np.array(SIZE), 'map.spotlight': MAPS}


@pytest.mark.parametrize(
    'change, problem',
    [
        ({'classes': None}, 'classes is missing'),
        ({'size': None}, 'size is missing'),
        ({'map.spotlight': None}, 'no array is named map.<branch>'),
        ({'classes': np.array([2.0])}, 'classes is missing or no list of whole numbers'),
        ({'classes': np.array(2)}, 'classes is missing or no list of whole numbers'),
        ({'classes': np.array([-1])}, 'classes are [-1]'),
        ({'classes': np.array([2, 2]), 'map.spotlight': np.zeros((2, 4, 5))}, 'classes are [2, 2]'),
        ({'size': np.array([13])}, 'size is [13]'),
        ({'size': np.array([0, 18])}, 'size is [0, 18]'),
        ({'size': np.array([52, 72])}, 'map.spotlight has shape (1, 4, 5), not (1, 13, 18)'),
        ({'map.compensation': MAPS[:0]}, 'map.compensation has shape (0, 4, 5)'),
        ({'map.spotlight': MAPS + np.nan}, 'map.spotlight holds what is no finite number'),
        ({'map.spotlight': MAPS.astype(np.int8)}, 'map.spotlight holds what is no finite number'),
        (
            {'background': np.zeros((2, 4, 5)), 'powers': np.array([3.0, 2, 1])},
            'background has shape (2, 4, 5), not (3, 4, 5)',
        ),
        ({'background': np.zeros((2, 4, 5))}, 'background and powers go together, but one of them is missing'),
        ({'powers': np.ones(1)}, 'background and powers go together, but one of them is missing'),
        ({'background': np.zeros((2, 4, 5)), 'powers': np.ones(2)}, 'powers are [1.0, 1.0], which do not descend'),
        ({'background': np.zeros((1, 4, 5)), 'powers': np.zeros(1)}, 'powers is no list of positive numbers'),
        ({'map.spotlight': MAPS + 1.5}, 'outside of [0, 1]'),
        ({'map.spotlight': MAPS - 1.5}, 'outside of [0, 1]'),
        ({'scores': np.zeros(3)}, 'nothing of a CAM is called scores'),
        ({'map.other': MAPS, 'map.third': MAPS}, 'not one, nor those of spotlight and compensation'),
    ],
)
def test_foreign_arrays(tmp_path, change, problem):
    path = tmp_path / 'a.npz'
    arrays = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    np.savez(path, **arrays)
    assert problem in broken(path)


@pytest.mark.parametrize('kind', ['compressed', 'float32'])
def test_cams_of_others(tmp_path, kind):
    arrays = {**GOOD, 'map.seam': np.linspace(0, 1, 20, dtype=np.float32).reshape(1, 4, 5)}
    arrays.pop('map.spotlight')
    path = tmp_path / 'a.npz'
    (np.savez_compressed if kind == 'compressed' else np.savez)(path, **arrays)
    cam = read_cam(path)
    assert list(cam.maps) == ['seam'] and cam.size == SIZE
    np.testing.assert_array_equal(cam.maps['seam'], arrays['map.seam'])


def test_one_array_is_no_cam(tmp_path):
    path = tmp_path / 'a.npz'
    with open(path, 'wb') as file:
        np.save(file, MAPS)
    assert 'no .npz archive' in broken(path)
    (tmp_path / 'folder.npz').mkdir()
    broken(tmp_path / 'folder.npz')


def bomb(path, size=(48, 64), **arrays):
    """An archive whose arrays are zeros, and small while they are packed."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, array in dict(classes=np.array([0]), size=np.array(size), **arrays).items():
            with archive.open(f'{name}.npy', 'w', force_zip64=True) as file:
                np.lib.format.write_array(file, array)


@pytest.mark.parametrize(
    ('arrays', 'problem'),
    [
        ({'map.spotlight': np.zeros((1, 4000, 4000), np.float16)}, 'map.spotlight is larger than a map of the image'),
        ({'map.spotlight': np.zeros((1, 12, 16)), 'other': np.zeros(10**7)}, 'other is larger than a map of the image'),
        ({'map.spotlight': np.zeros((1, 12, 16)), 'powers': np.zeros(10**6)}, 'powers is no short list'),
        ({'size': (10**6, 10**6)}, 'size is 1000000x1000000, more pixels than MMAMR_MAX_PIXELS allows'),
    ],
)
def test_what_cannot_be_a_cam_is_not_unpacked(tmp_path, monkeypatch, arrays, problem):
    path = tmp_path / 'a.npz'
    bomb(path, **arrays)
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    with pytest.raises(InputError, match=re.escape(f'{path} is not a CAM file ({problem})')):
        read_cam(str(path))
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()
