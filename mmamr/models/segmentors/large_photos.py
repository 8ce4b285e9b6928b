"""Predictions of mmseg's models on large photos, within bounded memory."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

from mmamr.cams import argmax_at

MAX_LOGITS = 1 << 24
"""Logits of a photo that are resized to its size at once: 64 MB in float32, for each view of it."""


def bound_logits() -> None:
    """Let mmseg's models predict photos of any size.

    mmseg resizes the logits of all classes to the size of the photo: 1 GB for 21 classes and 12 megapixels, several
    times. From :data:`MAX_LOGITS` on, the class of each pixel is found a band of rows at a time, and ``seg_logits``
    stay at the size that the network saw. Smaller photos go mmseg's way.
    """
    original = BaseSegmentor.postprocess_result
    if getattr(original, 'bounded', False):
        return
    BaseSegmentor.postprocess_result = _bounded(original)


def _bounded(original: Callable) -> Callable:
    def postprocess_result(
        self: BaseSegmentor, seg_logits: Tensor, data_samples: SampleList | None = None
    ) -> SampleList:
        large = [
            seg_logits.shape[1] * shape[0] * shape[1] > MAX_LOGITS
            for shape in (sample.metainfo['ori_shape'] for sample in data_samples or ())
        ]
        if not any(large):
            return original(self, seg_logits, data_samples)
        samples: SampleList = []
        for index, sample in enumerate(data_samples or ()):
            own = seg_logits[index : index + 1]
            samples += [_predict(self, own[0], sample)] if large[index] else original(self, own, [sample])
        return samples

    postprocess_result.bounded = True  # type: ignore[attr-defined]
    return postprocess_result


def _predict(model: BaseSegmentor, logits: Tensor, sample: SegDataSample) -> SegDataSample:
    """What ``postprocess_result`` does, with logits ``(C, h, w)`` that stay at their size."""
    meta = sample.metainfo
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', [0] * 4))
    logits = logits[:, top : logits.shape[1] - bottom, left : logits.shape[2] - right]
    if meta.get('flip'):
        logits = logits.flip(2 if meta['flip_direction'] == 'horizontal' else 1)
    if len(logits) > 1:
        prediction = argmax_at(logits, meta['ori_shape'], model.align_corners)[None]
    else:
        logits = logits.sigmoid()
        whole = F.interpolate(logits[None], meta['ori_shape'], mode='bilinear', align_corners=model.align_corners)[0]
        prediction = (whole > model.decode_head.threshold).to(torch.uint8)
    sample.set_data({'seg_logits': PixelData(data=logits), 'pred_sem_seg': PixelData(data=prediction)})
    return sample
