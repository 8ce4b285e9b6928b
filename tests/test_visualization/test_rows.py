import numpy as np
import pytest

from mmamr.structures import CAM, VOC_CLASSES, voc_palette
from mmamr.visualization import affinity_row, cam_row, draw_heat_map, draw_labels, label_row
from mmamr.visualization.rows import strongest

NAMES = ('disc', 'square', 'cross')
SIZE = (18, 26)


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def cam(*branches, classes=(0, 2)):
    rng = np.random.default_rng(1)
    maps = {name: rng.random((len(classes), 5, 7), dtype=np.float32) for name in branches}
    return CAM(maps, np.array(classes, int), SIZE)


def test_two_branches_are_shown_apart_and_mixed(photo):
    both, mask = cam('spotlight', 'compensation'), np.zeros(SIZE, np.uint8)
    row = cam_row(photo, both, NAMES, voc_palette(4), mask, walk=cam('walk'), xi=0.3, title='img')
    assert list(row.panels) == [
        'image',
        'spotlight',
        'compensation',
        'weighted, ξ = 0.3',
        'random walk',
        'ground truth',
    ]
    assert all(panel.shape == (*SIZE, 3) and panel.dtype == np.uint8 for panel in row.panels.values())
    mixed = 0.3 * both.maps['spotlight'] + 0.7 * both.maps['compensation']
    assert np.abs(row.panels['weighted, ξ = 0.3'].astype(int) - draw_heat_map(photo, mixed.max(0))).max() <= 1
    assert row.title == 'img' and {name: list(colour) for name, colour in row.legend.items()} == {
        'disc': [128, 0, 0],
        'cross': [128, 128, 0],
    }


def test_one_branch_and_one_class(photo):
    one = cam('spotlight')
    row = cam_row(photo, one, NAMES, voc_palette(4), classes=[2])
    assert list(row.panels) == ['image', 'CAM'] and list(row.legend) == ['cross']
    assert (row.panels['CAM'] == draw_heat_map(photo, one.maps['spotlight'][1])).all()


def test_no_class_is_a_cold_map(photo):
    row = cam_row(photo, cam('spotlight', 'compensation', classes=()), NAMES, voc_palette(4))
    assert (row.panels['spotlight'] == draw_heat_map(photo, np.zeros((1, 1)))).all() and not row.legend


def test_strongest():
    maps = np.stack([np.full((2, 2), 0.2), np.eye(2)])
    assert strongest(maps, [3, 5]).tolist() == np.array([[1.0, 0.2], [0.2, 1.0]], np.float32).tolist()
    assert strongest(maps, [3, 5], [3]).max() == np.float32(0.2)
    assert strongest(maps, [3, 5], [4]).tolist() == [[0, 0], [0, 0]]


def test_affinity_row(photo):
    irnet = dict(edge=np.random.default_rng(2).random((5, 7)), displacement=np.ones((2, 5, 7)))
    label, mask = np.full(SIZE, 1, np.uint8), np.zeros(SIZE, np.uint8)
    row = affinity_row(photo, cam('spotlight'), irnet, cam('walk'), label, NAMES, voc_palette(4), mask, title='img')
    assert list(row.panels) == [
        'image',
        'CAM',
        'class boundaries',
        'displacement',
        'random walk',
        'pseudo label',
        'ground truth',
    ]
    assert all(panel.shape == (*SIZE, 3) for panel in row.panels.values())
    # cells of the map are squares of four pixels
    edge = row.panels['class boundaries']
    assert (edge[:4, :4] == edge[0, 0]).all() and (edge[0, 0] != edge[0, 4]).any()
    affinitynet = dict(feature=np.ones((4, 3, 4)))
    row = affinity_row(photo, cam('spotlight'), affinitynet, cam('walk'), label, NAMES, voc_palette(4))
    assert list(row.panels) == ['image', 'CAM', 'random walk', 'pseudo label']


def test_the_legend_has_the_colours_of_the_pictures(photo):
    """Also that of VOC's car, whose grey is another colour in pictures."""
    label = np.zeros(SIZE, np.uint8)
    label[:9], label[9:] = 7, 8
    row = label_row(photo, label, VOC_CLASSES, voc_palette(21))
    painted = draw_labels(photo, label, voc_palette(21), alpha=1, outline=False)
    assert list(row.legend) == ['car', 'cat']
    assert row.legend['car'].tolist() == painted[0, 0].tolist()
    assert row.legend['cat'].tolist() == painted[-1, -1].tolist() == [64, 0, 0]
