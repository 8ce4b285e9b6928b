import pytest

from mmamr.datasets import LoadImage
from mmamr.registry import TRANSFORMS
from mmamr.utils import DatasetError


def test_load_image(tiny_voc):
    transform = TRANSFORMS.build(dict(type='LoadImage'))
    assert isinstance(transform, LoadImage) and repr(transform) == 'LoadImage(max_long_side=1024)'
    results = transform(dict(img_path=str(tiny_voc / 'JPEGImages' / 'img_00.jpg'), gt_label=[0]))
    assert results['img'].shape == (48, 64, 3)
    assert results['img_shape'] == results['ori_shape'] == (48, 64) and results['gt_label'] == [0]
    # The disc of img_00 is red, and channels come as BGR.
    blue, _, red = results['img'][16, 21]
    assert red > 150 > blue


def test_missing_and_truncated_images(tiny_voc):
    path = tiny_voc / 'JPEGImages' / 'img_00.jpg'
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DatasetError, match=r'img_00.jpg: truncated or broken image .*; copy or download it again'):
        LoadImage()(dict(img_path=str(path)))
    path.unlink()
    with pytest.raises(DatasetError, match=r'img_00.jpg: no such image'):
        LoadImage()(dict(img_path=str(path)))
