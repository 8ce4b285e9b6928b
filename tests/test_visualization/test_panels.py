import numpy as np
import pytest

from mmamr.structures import voc_palette
from mmamr.visualization import draw_displacement, draw_heat_map, draw_labels, draw_scores, label_layer
from mmamr.visualization.panels import IGNORE_COLOUR, inner_border, visible_colours


def bump(size, centre, width=4.0):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * width**2))


def test_heat_map_is_reddest_at_the_maximum_and_blue_at_zero():
    picture = draw_heat_map(np.full((48, 64, 3), 128, np.uint8), bump((48, 64), (20, 40)))
    assert picture.shape == (48, 64, 3) and picture.dtype == np.uint8
    # jet ends in dark red: nothing but red is left there, and nothing but blue far away
    assert picture[20, 40, 0] > picture[20, 40, 2] + 50 and picture[20, 40, 1] == picture[20, 40, 2]
    assert picture[0, 0, 2] > picture[0, 0, 0] + 50
    red_over_blue = picture[..., 0].astype(int) - picture[..., 2]
    hottest = np.argwhere(red_over_blue == red_over_blue.max())
    assert np.abs(hottest - (20, 40)).max() <= 3


@pytest.mark.parametrize('alpha', [0.0, 1.0])
def test_alpha_goes_from_the_photo_to_the_map(alpha):
    photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = draw_heat_map(photo, np.zeros((2, 2)), alpha, 'gray')
    expected = np.rint(photo @ [0.299, 0.587, 0.114])[..., None] if alpha == 0 else 0
    assert np.abs(picture - expected).max() <= 1


def test_maps_are_resized_and_clipped_and_nan_is_zero():
    photo = np.zeros((9, 7, 3), np.uint8)
    with np.errstate(all='raise'):
        picture = draw_heat_map(photo, np.array([[np.nan, 5.0], [-3.0, 1.0]], np.float16), 1.0, 'gray')
    assert picture.shape == (9, 7, 3)
    assert picture[0, 0].tolist() == [0, 0, 0] and picture[0, -1].tolist() == [255, 255, 255]
    assert draw_scores(np.array([[-1.0, 2.0]]), 'gray')[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_labels_have_their_colours_and_the_background_none():
    photo = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    labels = np.zeros((12, 12), np.uint8)
    labels[2:9, 2:9], labels[10:, 10:] = 2, 255
    picture = draw_labels(photo, labels, voc_palette(3), alpha=1.0)
    assert (picture[3:8, 3:8] == voc_palette(3)[2]).all()
    assert (picture[11, 11] == IGNORE_COLOUR).all()
    assert (picture[2, 2:9] == 255).all() and (picture[2:9, 8] == 255).all()
    # the background is grey, and lighter than the photo
    assert (np.ptp(picture[0], axis=1) == 0).all() and picture[0].mean() > photo[0].mean()
    plain = draw_labels(photo, labels, voc_palette(3), alpha=1.0, outline=False)
    assert (plain[2:9, 2:9] == voc_palette(3)[2]).all()


def test_a_grey_class_is_seen_on_a_photo():
    """VOC's car is grey, as are the photos below labels."""
    photo = np.full((8, 8, 3), 75, np.uint8)
    labels = np.zeros((8, 8), np.uint8)
    labels[2:6, 2:6] = 7
    picture = draw_labels(photo, labels, voc_palette(21), outline=False)
    assert np.abs(picture[3, 3].astype(int) - picture[0, 0]).max() > 60
    assert np.ptp(picture[3, 3]) > 100
    assert np.ptp(picture[0, 0]) == 0


def test_visible_colours():
    colours = visible_colours(voc_palette())
    given = voc_palette()
    grey = np.flatnonzero(np.ptp(given, axis=1) == 0)[1:]
    assert grey.tolist() == [7, 56, 63]
    others = np.setdiff1d(np.arange(256), grey)
    np.testing.assert_array_equal(colours[others], given[others])
    assert (np.ptp(colours[grey], axis=1) == 255).all()
    assert len(np.unique(colours, axis=0)) == 256
    # far from the colours of VOC's other classes
    distance = np.abs(colours[7].astype(int) - np.delete(colours[:21], 7, axis=0)).sum(1)
    assert distance.min() > 150
    assert given[7].tolist() == [128, 128, 128]


def test_labels_refuse_other_sizes_and_colours():
    photo = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r'\(4, 5\)'):
        draw_labels(photo, np.zeros((4, 5), np.uint8), voc_palette(3))
    with pytest.raises(ValueError, match='label 3 has no colour'):
        draw_labels(photo, np.full((4, 4), 3, np.uint8), voc_palette(3))


def test_inner_border():
    labels = np.zeros((5, 5), np.uint8)
    labels[1:4, 1:4] = 1
    border = inner_border(labels)
    assert border.sum() == 8 and not border[2, 2]
    assert not inner_border(np.full((3, 3), 1, np.uint8)).any()
    assert not inner_border(np.array([[255, 0]], np.uint8)).any()


@pytest.mark.parametrize(('direction', 'channel'), [((0, 1), 0), ((np.sin(2 * np.pi / 3), np.cos(2 * np.pi / 3)), 1)])
def test_displacement_is_a_hue(direction, channel):
    """To the right is red; a third of a turn further, downwards first, is green."""
    field = np.broadcast_to(np.array(direction, np.float32)[:, None, None], (2, 40, 40))
    picture = draw_displacement(field, wheel=False)
    expected = [0, 0, 0]
    expected[channel] = 255
    assert np.abs(picture[0, 0].astype(int) - expected).max() <= 1
    # half the length is half the saturation
    assert (
        np.abs(draw_displacement(field, longest=2.0, wheel=False)[0, 0].astype(int) - np.maximum(expected, 127.5)).max()
        <= 1
    )


def test_no_displacement_is_white_and_the_wheel_is_in_its_corner():
    still = draw_displacement(np.zeros((2, 40, 60)))
    assert (still[:29, :49] == 255).all() and (still[30:39, 50:59] < 255).any()
    assert (draw_displacement(np.zeros((2, 40, 60)), wheel=False) == 255).all()
    assert draw_displacement(np.zeros((2, 1, 1))).shape == (1, 1, 3)


def test_a_layer_of_labels_is_clear_where_the_background_is():
    labels = np.zeros((5, 9), dtype=np.uint8)
    labels[:, 3:7] = 2
    labels[:, 7:] = 255
    layer = label_layer(labels, voc_palette(3))
    assert layer.dtype == np.uint8 and layer.shape == (5, 9, 4)
    assert not layer[:, :3].any() and (layer[:, 3:, 3] == 255).all()
    assert layer[2, 4].tolist() == [*voc_palette(3)[2], 255] and layer[2, 8, :3].tolist() == list(IGNORE_COLOUR)
    assert layer[2, 3].tolist() == [255] * 4 and label_layer(labels, voc_palette(3), outline=False)[2, 3, 0] != 255
    with pytest.raises(ValueError, match='label 2 has no colour'):
        label_layer(labels, voc_palette(2))
