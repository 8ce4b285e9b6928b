import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmamr.cams import argmax_at, bands, enlarge_label, label_of_cam, upsample
from mmamr.cams.large_maps import row_slices, upsample_rows
from mmamr.structures import CAM


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', [(20, 31), (7, 9), (1, 1), (5, 50)])
def test_rows_are_those_of_a_whole_resize(size, align_corners):
    maps = torch.rand(3, 5, 7)
    whole = F.interpolate(maps[None], size, mode='bilinear', align_corners=align_corners)[0]
    for rows in row_slices(3, size, max_values=3 * size[1] * 2):
        assert rows.stop - rows.start <= 2
        torch.testing.assert_close(upsample_rows(maps, size, rows, align_corners), whole[:, rows])


def test_bands_and_one_piece_agree():
    maps = np.random.default_rng(0).random((2, 6, 5), dtype=np.float32)
    ((rows, whole),) = bands(maps, (24, 20))
    assert rows == slice(0, 24) and (whole == upsample(maps, (24, 20))).all()
    parts = list(bands(maps, (24, 20), max_values=200))
    assert len(parts) == 5 and [rows.start for rows, _ in parts] == [0, 5, 10, 15, 20]
    np.testing.assert_allclose(np.concatenate([part for _, part in parts], 1), whole, atol=1e-6)


def test_argmax_at_a_larger_size(monkeypatch):
    scores = torch.rand(4, 6, 8)
    wanted = F.interpolate(scores[None], (30, 41), mode='bilinear', align_corners=False)[0].argmax(0)
    assert (argmax_at(scores, (30, 41)) == wanted).float().mean() > 0.999
    monkeypatch.setattr('mmamr.cams.large_maps.MAX_VALUES', 500)
    assert (argmax_at(scores, (30, 41)) == wanted).float().mean() > 0.999


def test_enlarged_labels():
    label = np.array([[0, 0, 7], [255, 255, 7]], dtype=np.uint8)
    assert enlarge_label(label, (2, 3)) is label
    large = enlarge_label(label, (8, 12))
    assert large.dtype == np.uint8 and large.shape == (8, 12)
    # the middle of each pixel keeps its value, and borders run in the middle
    assert (large[:4, :8] == 0).all() and (large[4:, :8] == 255).all() and (large[:, 8:] == 7).all()


@pytest.mark.parametrize('options', [dict(threshold=0.4), dict(unsure=(0.3, 0.6)), dict(power=4.0)])
def test_pseudo_labels_of_large_photos(monkeypatch, options):
    rng = np.random.default_rng(0)
    cam = CAM({'walk': rng.random((2, 10, 12))}, np.array([0, 4]), (40, 48), rng.random((2, 10, 12)), np.array([8, 4]))
    whole = label_of_cam(cam, **options)
    assert len(np.unique(whole)) == 4 if 'unsure' in options else 3
    monkeypatch.setattr('mmamr.cams.large_maps.MAX_VALUES', 1000)
    assert (label_of_cam(cam, **options) == whole).mean() > 0.999
