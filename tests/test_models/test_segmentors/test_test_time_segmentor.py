from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.structures import SegDataSample

from mmamr.models import TestTimeSegmentor
from mmamr.refine import dense_crf

SIZE = (20, 30)


class Module(torch.nn.Module):
    """Stands for a segmentor; only `test_step` is asked for."""

    def test_step(self, data):
        return data['data_samples']


def views(num, path='photo.jpg', seed=0, channels=4, photo=None):
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for i in range(num):
        meta = dict(img_path=path, ori_shape=SIZE, flip=bool(i % 2), **({} if photo is None else dict(photo=photo)))
        sample = SegDataSample(metainfo=meta)
        logits = 3 * torch.randn(channels, *SIZE, generator=generator)
        # mmseg takes the sigmoid of a single channel
        sample.seg_logits = PixelData(data=logits if channels > 1 else logits.sigmoid())
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
def photo():
    """RGB pixels of a photo with an edge in the middle."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, 15:] = (250, 40, 10)
    return pixels


CRF = dict(iterations=2, bilateral_sxy=20, bilateral_srgb=5)


def test_dense_crf_is_handed_the_photo_and_the_average(photo):
    samples = views(2, 'no such file.png', photo=photo[..., ::-1])
    probabilities = torch.stack([sample.seg_logits.data.softmax(0) for sample in samples]).mean(0)
    (merged,) = TestTimeSegmentor(Module(), crf=CRF).merge_preds([samples])
    expected = dense_crf(photo, probabilities.numpy(), **CRF).argmax(0)
    assert (merged.pred_sem_seg.data[0].numpy() == expected).all()
    assert not (expected == probabilities.argmax(0).numpy()).all()
    # it is large, and nobody needs it any more
    assert 'photo' not in merged and merged.ori_shape == SIZE


def test_heads_with_one_channel(photo):
    """As a head with the two channels background and object would do."""
    module = Module()
    module.decode_head = SimpleNamespace(threshold=0.5)
    samples = views(3, channels=1, photo=photo[..., ::-1])
    mean = torch.stack([sample.seg_logits.data for sample in samples]).mean(0)
    (merged,) = TestTimeSegmentor(module).merge_preds([samples])
    assert merged.pred_sem_seg.data.shape == (1, *SIZE)
    assert torch.equal(merged.pred_sem_seg.data, (mean > 0.5).long()) and 0 < merged.pred_sem_seg.data.sum()
    (refined,) = TestTimeSegmentor(module, crf=CRF).merge_preds([samples])
    expected = dense_crf(photo, torch.cat([1 - mean, mean]).numpy(), **CRF).argmax(0)
    assert (refined.pred_sem_seg.data[0].numpy() == expected).all()
    assert not torch.equal(refined.pred_sem_seg.data, merged.pred_sem_seg.data)


def test_labels_that_cannot_win_are_left_out_of_the_crf(photo, monkeypatch):
    """As with all of them, but for pixels that hardly anything decides; what is the likeliest somewhere stays."""
    logits = torch.randn(6, 1, 4, 6, generator=torch.Generator().manual_seed(0)).transpose(0, 1)
    probabilities = torch.nn.functional.interpolate(3 * logits, SIZE, mode='bilinear')[0].softmax(0)
    probabilities[4:] *= 0.04 / probabilities[4:].amax((1, 2), keepdim=True)
    probabilities[:, 0, 0] = 0.03
    probabilities[5, 0, 0] = 0.035
    seen = []

    def counting(image, scores, **options):
        seen.append(len(scores))
        return dense_crf(image, scores, **options)

    monkeypatch.setattr('mmamr.models.segmentors.test_time.dense_crf', counting)
    refined = TestTimeSegmentor(Module(), crf=CRF).fit_to_photo(probabilities, photo[..., ::-1])
    assert seen == [5] and refined.shape == probabilities.shape and not refined[4].any()
    torch.testing.assert_close(refined.sum(0), torch.ones(SIZE))
    every = torch.from_numpy(dense_crf(photo, probabilities.numpy(), **CRF))
    assert (refined - every).abs().mean() < 0.01
    assert (refined.argmax(0) == every.argmax(0)).float().mean() > 0.99


def test_a_faster_copy_of_the_backbone_predicts_the_same(photo):
    class Segmentor(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4))
            self.norms = []

        def test_step(self, data):
            self.norms.append('forward' in vars(self.backbone[1]))  # folded
            with torch.no_grad():
                logits = self.backbone(data['inputs'])
            return [SegDataSample(metainfo=dict(ori_shape=SIZE), seg_logits=PixelData(data=one)) for one in logits]

    torch.manual_seed(0)
    module = Segmentor().train()
    module.backbone(torch.randn(8, 3, *SIZE))  # statistics
    model, backbone, names = TestTimeSegmentor(module).eval(), module.backbone, set(module.state_dict())
    for _ in range(2):
        images = torch.randn(1, 3, *SIZE)
        (merged,) = model.test_step(dict(inputs=[images, images]))
        plain = backbone(images).softmax(1)[0]
        assert torch.equal(merged.pred_sem_seg.data[0], plain.argmax(0))
        assert module.backbone is backbone and set(module.state_dict()) == names
        with torch.no_grad():
            backbone[0].weight.mul_(-1)  # other weights, another copy
    assert module.norms == [True] * 4 and 'forward' not in vars(backbone[1])


def test_it_extends_that_of_mmseg():
    """Several channels without a CRF give what mmseg's own gives."""
    own, stock = TestTimeSegmentor(Module()), SegTTAModel(Module())
    stock.module.out_channels = 4
    expected = stock.merge_preds([views(3)])[0].pred_sem_seg.data
    assert torch.equal(own.merge_preds([views(3)])[0].pred_sem_seg.data, expected)
