import numpy as np
import pytest
import torch
from PIL import Image

from mmamr.registry import METRICS

META = dict(
    classes=('background', 'cat', 'cow', 'dog'),
    palette=[[0, 0, 0], [64, 0, 0], [64, 128, 0], [1, 2, 3]],
    mask_values=(0, 8, 10, 12),
)


def build(meta=META, **kwargs):
    metric = METRICS.build(dict(type='mmamr.SegmentationMetric', **kwargs))
    metric.dataset_meta = meta
    return metric


def sample(name, prediction, truth=None):
    data = dict(img_path=f'photos/{name}.jpg', pred_sem_seg=dict(data=torch.tensor([prediction])))
    return data if truth is None else dict(data, gt_sem_seg=dict(data=torch.tensor([truth])))


def test_iou_of_each_class():
    metric = build()
    metric.process({}, [sample('a', [[0, 0, 1, 2]], [[0, 1, 1, 255]]), sample('b', [[1, 1, 0, 0]], [[1, 1, 1, 0]])])
    metrics = metric.evaluate(2)
    # background: 2 of 4 pixels; cat: 3 of 5; cow only where it is ignored, dog nowhere
    assert metrics['IoU.background'] == 50 and metrics['IoU.cat'] == 60
    assert 'IoU.cow' not in metrics and 'IoU.dog' not in metrics
    assert metrics['mIoU'] == pytest.approx(55)
    assert metric.details == dict(
        classes=['background', 'cat', 'cow', 'dog'], rows={'': dict(iou=[50, pytest.approx(60), None, None])}
    )


@pytest.mark.parametrize('mask_values', [True, False])
def test_predictions_are_stored_like_masks(tmp_path, mask_values):
    meta = META if mask_values else {key: value for key, value in META.items() if key != 'mask_values'}
    metric = build(meta, output_dir=str(tmp_path / 'out'), format_only=True)
    metric.process({}, [sample('a', [[0, 1, 2], [3, 3, 0]])])
    assert metric.evaluate(1) == {}
    image = Image.open(tmp_path / 'out' / 'a.png')
    assert image.mode == 'P'
    assert np.asarray(image).tolist() == ([[0, 8, 10], [12, 12, 0]] if mask_values else [[0, 1, 2], [3, 3, 0]])
    assert image.convert('RGB').getpixel((0, 1)) == (1, 2, 3)


def test_an_image_of_one_row_keeps_its_shape(tmp_path):
    metric = build(output_dir=str(tmp_path))
    metric.process({}, [sample('row', [[1, 0, 1]], [[1, 0, 1]])])
    assert Image.open(tmp_path / 'row.png').size == (3, 1)
