import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from mmamr.models import TestTimeSegmentor
from mmamr.refine import dense_crf

SIZE = (20, 30)


class Module(torch.nn.Module):
    """Stands for a segmentor; only `test_step` is asked for."""

    def test_step(self, data):
        return data['data_samples']


def views(num, path='photo.jpg', seed=0):
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for i in range(num):
        sample = SegDataSample(metainfo=dict(img_path=path, ori_shape=SIZE, flip=bool(i % 2)))
        sample.seg_logits = PixelData(data=3 * torch.randn(4, *SIZE, generator=generator))
        samples.append(sample)
    return samples


def test_averages_probabilities():
    samples = views(3)
    logits = [sample.seg_logits.data.clone() for sample in samples]
    (merged,) = TestTimeSegmentor(Module()).merge_preds([samples])
    expected = torch.stack([x.softmax(0) for x in logits]).mean(0).argmax(0, keepdim=True)
    assert torch.equal(merged.pred_sem_seg.data, expected)
    assert merged.img_path == 'photo.jpg'
    assert 'gt_sem_seg' not in merged


def test_one_view_is_the_plain_prediction():
    (sample,) = views(1)
    (merged,) = TestTimeSegmentor(Module()).merge_preds([[sample]])
    assert torch.equal(merged.pred_sem_seg.data[0], sample.seg_logits.data.argmax(0))


def test_test_step_keeps_photos_apart_and_the_ground_truth():
    first, second = views(2, 'a.jpg'), views(2, 'b.jpg', seed=1)
    first[0].gt_sem_seg = PixelData(data=torch.zeros(1, *SIZE))
    data = dict(inputs=[[None, None], [None, None]], data_samples=[[first[0], second[0]], [first[1], second[1]]])
    merged = TestTimeSegmentor(Module()).test_step(data)
    assert [sample.img_path for sample in merged] == ['a.jpg', 'b.jpg']
    assert 'gt_sem_seg' in merged[0] and 'gt_sem_seg' not in merged[1]


@pytest.fixture
def photo(tmp_path):
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, 15:] = (250, 40, 10)
    Image.fromarray(pixels).save(tmp_path / 'photo.png')
    return str(tmp_path / 'photo.png'), pixels


def test_dense_crf_sees_the_photo_and_the_average(photo):
    path, pixels = photo
    params = dict(iterations=2, bilateral_sxy=20, bilateral_srgb=5)
    samples = views(2, path)
    probabilities = torch.stack([sample.seg_logits.data.softmax(0) for sample in samples]).mean(0)
    (merged,) = TestTimeSegmentor(Module(), crf=params).merge_preds([samples])
    expected = dense_crf(pixels, probabilities.numpy(), **params).argmax(0)
    assert (merged.pred_sem_seg.data[0].numpy() == expected).all()
    assert not (expected == probabilities.argmax(0).numpy()).all()
