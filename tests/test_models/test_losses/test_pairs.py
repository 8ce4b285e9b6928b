import pytest
import torch

from mmamr.models.losses.pairs import BACKGROUND, DIFFERENT, FOREGROUND, IGNORED, pair_labels, shift
from mmamr.registry import MODELS


def test_shift_is_a_view_of_the_sources_moved():
    x = torch.arange(30).view(5, 6)
    assert shift(x, 0, 0, 2).tolist() == [[1, 2, 3, 4], [7, 8, 9, 10], [13, 14, 15, 16], [19, 20, 21, 22]]
    moved = shift(x, 1, -1, 2)
    assert moved.tolist() == [[6, 7, 8, 9], [12, 13, 14, 15], [18, 19, 20, 21], [24, 25, 26, 27]]
    assert moved.data_ptr() == x[1:].data_ptr()


def test_a_map_smaller_than_the_radius_has_no_pairs():
    for size in ((1, 1), (3, 40), (40, 3)):
        assert shift(torch.zeros(2, *size), 0, 1, 5).numel() == 0
        assert pair_labels(torch.zeros(2, *size, dtype=torch.uint8), 0, 1, 5).numel() == 0


def test_pair_labels():
    #     pairs: 0-0         0-1        1-1         1-2        2-255    255-255
    segmap = torch.tensor([[0, 0, 1, 1, 2, 255, 255], [9] * 7], dtype=torch.uint8)[None]
    expected = [BACKGROUND, DIFFERENT, FOREGROUND, DIFFERENT, IGNORED]
    for dtype in (torch.uint8, torch.int64):
        labels = pair_labels(segmap.to(dtype), 0, -1, 2)
        assert labels.dtype == torch.uint8
        assert labels.tolist() == [[expected]]


@pytest.mark.parametrize('loss', ['PathAffinityLoss', 'FeatureAffinityLoss', 'DisplacementLoss'])
@pytest.mark.parametrize('radius', [0, 1, 2.5])
def test_a_radius_without_pairs_is_refused(loss, radius):
    with pytest.raises(ValueError, match='radius must be a whole number of at least 2'):
        MODELS.build(dict(type=loss, radius=radius))
