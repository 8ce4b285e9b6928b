import pytest

from mmamr.refine.paths import displacements, path


@pytest.mark.parametrize('radius, count', [(1, 0), (2, 4), (5, 34), (10, 152)])
def test_displacements_are_half_of_the_open_disc(radius, count):
    half = displacements(radius)
    assert len(half) == len(set(half)) == count
    whole = set(half) | {(-dy, -dx) for dy, dx in half}
    span = range(-radius, radius + 1)
    disc = {(y, x) for y in span for x in span if 0 < y * y + x * x < radius**2}
    assert whole == disc


def test_path_is_the_thick_line_within_the_box():
    assert path(0, 3) == ((0, 0), (0, 1), (0, 2), (0, 3))
    assert path(2, -2) == ((0, -1), (0, 0), (1, -2), (1, -1), (1, 0), (2, -2), (2, -1))
    assert len(path(1, 4)) == 10
    assert path(0, 0) == ((0, 0),)


def test_path_ends_and_mirror():
    for dy, dx in displacements(7):
        offsets = path(dy, dx)
        assert (0, 0) in offsets and (dy, dx) in offsets
        assert set(path(dy, -dx)) == {(y, -x) for y, x in offsets}
        assert set(path(dx, dy)) == {(x, y) for y, x in offsets}


@pytest.mark.parametrize('radius', [0, -1, 2.5])
def test_wrong_radius_raises(radius):
    with pytest.raises(ValueError, match='radius must be a whole number'):
        displacements(radius)
