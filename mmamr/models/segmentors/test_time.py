"""What may be done to a segmentation model's predictions at test time."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmamr.cams import argmax_at
from mmamr.refine import dense_crf
from mmamr.registry import MODELS

from ..utils import FoldedCopies

LEAST = 0.05
"""Labels that are nowhere likelier than this, and nowhere the likeliest, are left out of the CRF, whose time grows with
their number. Neighbours that agree on one lift it by its probability times the weights of the kernels at most."""


@MODELS.register_module()
class TestTimeSegmentor(SegTTAModel):
    """mmseg's test-time augmentation, and after it a dense CRF that follows the edges of the photo.

    The views (scales, mirror images) are made by mmcv's ``TestTimeAug`` transform; their class probabilities are
    averaged at the size of the photo. The CRF gets the photo from the data sample, where the ``KeepPhoto`` transform
    puts it. :func:`mmamr.engine.apply_test_time` puts all this into a config. Heads with one channel (sigmoid) work as
    those with several.

    A backbone with BatchNorm is run as a copy whose norms are folded into the convolutions, which differs by rounding.

    Predictions have the size of the photo (``ori_shape``), also where the network and the CRF saw it smaller.

    Args:
        module (dict | nn.Module): The segmentor.
        crf (dict, optional): Keyword arguments of :func:`mmamr.refine.dense_crf`; None leaves the CRF out. Defaults to
            None.
        data_preprocessor (dict | nn.Module, optional): Replaces that of ``module``. Defaults to None.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    def __init__(
        self,
        module: dict | nn.Module,
        crf: dict | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(module, data_preprocessor)
        self.crf = crf
        self._copies = FoldedCopies()

    def test_step(self, data: dict | Sequence) -> SampleList:
        """Predictions of photos of which each comes as several views."""
        backbone = getattr(self.module, 'backbone', None)
        if backbone is None or not any(isinstance(module, _BatchNorm) for module in backbone.modules()):
            return super().test_step(data)
        self.module.backbone = self._copies(backbone, next(backbone.parameters()))
        try:
            return super().test_step(data)
        finally:
            self.module.backbone = backbone

    def merge_preds(self, data_samples_list: Sequence[Sequence[SegDataSample]]) -> SampleList:
        """Merge the predictions of the views of each photo.

        Args:
            data_samples_list (Sequence[Sequence[SegDataSample]]): For each photo, the prediction of each view with its
                ``seg_logits`` ``(C, H, W)`` at the photo's size and, for the CRF, ``photo``: uint8 ``(H, W, 3)``, BGR.

        Returns:
            list[SegDataSample]: One a photo: ``pred_sem_seg`` ``(1, H, W)``, and the ground truth where there is one.
        """
        merged = []
        for views in data_samples_list:
            probabilities = self.average(views)
            if self.crf is not None:
                probabilities = self.fit_to_photo(probabilities, views[0].photo)
            size = tuple(views[0].metainfo.get('ori_shape', probabilities.shape[1:]))
            metainfo = {name: value for name, value in views[0].metainfo.items() if name != 'photo'}
            sample = SegDataSample(metainfo=metainfo)
            sample.pred_sem_seg = PixelData(data=self.decide(probabilities, size))
            if 'gt_sem_seg' in views[0]:
                sample.gt_sem_seg = views[0].gt_sem_seg
            merged.append(sample)
        return merged

    @staticmethod
    def average(views: Sequence[SegDataSample]) -> Tensor:
        """Mean class probabilities ``(C, H, W)`` of some views of a photo.

        Views of a large photo come at the sizes that the network saw; the mean has the largest of these.
        """
        # mmseg has taken the sigmoid of a single channel already
        logits = [view.seg_logits.data for view in views]
        size = max((one.shape[1:] for one in logits), key=lambda shape: shape[0] * shape[1])
        total = reduce(torch.add, (_resized(one.softmax(dim=0) if len(one) > 1 else one, size) for one in logits))
        return total / len(views)

    def fit_to_photo(self, probabilities: Tensor, photo: np.ndarray) -> Tensor:
        """Let the dense CRF fit class probabilities ``(C, H, W)`` to a photo, BGR uint8 ``(H, W, 3)``."""
        probabilities = _resized(probabilities, photo.shape[:2])
        both = probabilities if len(probabilities) > 1 else torch.cat([1 - probabilities, probabilities])
        likely = both.amax((1, 2)) >= LEAST
        likely[both.argmax(0).unique()] = True
        crf = dense_crf(np.ascontiguousarray(photo[..., ::-1]), both[likely].cpu().numpy(), **(self.crf or {}))
        refined = torch.zeros_like(both)
        refined[likely] = torch.from_numpy(crf).to(both)
        return refined[-len(probabilities) :]

    def decide(self, probabilities: Tensor, size: tuple[int, int]) -> Tensor:
        """The class of each pixel ``(1, *size)``: the likeliest; of one channel, whether it reaches the threshold."""
        if len(probabilities) > 1:
            if probabilities.shape[1:] != size:
                return argmax_at(probabilities, size)[None]
            return probabilities.argmax(dim=0, keepdim=True)
        probabilities = _resized(probabilities, size)
        return (probabilities > self.module.decode_head.threshold).to(torch.int64)


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Maps ``(C, H, W)`` at a size, the same where they have it."""
    if tuple(maps.shape[1:]) == tuple(size):
        return maps
    smaller = size[0] < maps.shape[1] or size[1] < maps.shape[2]
    return F.interpolate(maps[None], tuple(size), mode='bilinear', align_corners=False, antialias=smaller)[0]
