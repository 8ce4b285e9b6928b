"""Outlines become label maps: the way back from what is written for annotation tools."""

import numpy as np
import pytest

from mmamr.fileio.annotations import Shape, draw_shapes
from mmamr.fileio.annotations.drawing import fill, from_runs
from mmamr.fileio.annotations.formats import run_lengths
from mmamr.fileio.annotations.outlines import pieces_of, polygon_of

SIZE = (23, 31)


def blobs(seed=0):
    """A region with holes, pieces that touch at corners, and pixels at the border."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.random((8, 11)) < 0.5, np.ones((3, 3), bool))[: SIZE[0], : SIZE[1]]


@pytest.mark.parametrize('seed', range(3))
def test_polygons_and_run_lengths_there_and_back(seed):
    region = blobs(seed)
    polygons, runs = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    for piece, left, top in pieces_of(region):
        ring = polygon_of(piece, 0) + (left, top)
        polygons |= Shape('a', [ring.reshape(-1).tolist()]).region(SIZE)
        runs |= Shape('a', runs=run_lengths(piece, left, top, SIZE)).region(SIZE)
    assert (polygons == region).all() and (runs == region).all()
    # in shares of the sides, and a polygon that leaves the photo
    ring = [(-5, -5), (40, -5), (40, 10.4), (-5, 10.4)]
    assert fill(np.array(ring), SIZE).sum(1).tolist() == [31] * 10 + [0] * 13
    shares = [[x / 31, y / 23] for x, y in ring]
    assert (Shape('a', [shares], relative=True).region(SIZE) == fill(np.array(ring), SIZE)).all()


def test_run_lengths_as_pycocotools_writes_them():
    mask_api = pytest.importorskip('pycocotools.mask')
    region = blobs()
    text = mask_api.encode(np.asfortranarray(region.astype(np.uint8)))['counts'].decode()
    assert (from_runs(text, SIZE) == region).all()
    assert Shape('a', runs=text).area() == region.sum()
    with pytest.raises(ValueError, match='run lengths of 713 pixels, but there are 682'):
        from_runs(text, (22, 31))
    with pytest.raises(ValueError, match=r"run lengths with the letter 'ä'"):
        from_runs('ä', SIZE)


def test_shapes_lie_over_each_other():
    large, small = Shape('cat', [[0, 0, 4, 0, 4, 4, 0, 4]]), Shape('dog', [[(1, 1), (3, 1), (3, 2), (1, 2)]])
    hole = Shape('nothing', pixels=np.ones((9, 2), bool), box=(3, -7, 2, 9))
    rows = Shape('dog', runs=[1, 2], by_columns=False, box=(0, 3, 3, 1))
    mask = draw_shapes([large, small, hole, rows], (4, 4), dict(cat=1, dog=2))
    assert mask.tolist() == [[1, 1, 1, 0], [1, 2, 2, 0], [1, 1, 1, 1], [1, 2, 2, 1]]
    assert large.area() == 16 and hole.area() == 18
    assert draw_shapes([], (1, 2), {}).tolist() == [[0, 0]] and not fill(np.array([(0, 0), (4, 4)]), (4, 4)).any()
    with pytest.raises(ValueError, match='no number'):
        fill(np.array([(0, 0), (np.nan, 1), (1, 1)]), (4, 4))
