"""What may be done to a segmentation model's predictions at test time."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import nn

from mmamr import refine
from mmamr.datasets.images import read_image
from mmamr.registry import MODELS


@MODELS.register_module()
class TestTimeSegmentor(BaseTTAModel):
    """Average the class probabilities of several views of a photo, then let a dense CRF follow its edges.

    The views (scales, mirror images) are made by mmcv's ``TestTimeAug`` transform; their probabilities are averaged at
    the size of the photo. :func:`mmamr.engine.apply_test_time` puts both into a config.

    Args:
        module (dict | nn.Module): The segmentor.
        crf (dict, optional): Keyword arguments of :func:`mmamr.refine.dense_crf`; None leaves the CRF out. Defaults to
            None.
        data_preprocessor (dict | nn.Module, optional): Replaces that of ``module``. Defaults to None.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    def __init__(
        self, module: dict | nn.Module, crf: dict | None = None, data_preprocessor: dict | nn.Module | None = None
    ) -> None:
        super().__init__(module, data_preprocessor)
        self.crf = crf

    def merge_preds(self, data_samples_list: Sequence[Sequence[SegDataSample]]) -> SampleList:
        """Merge the predictions of the views of each photo.

        Args:
            data_samples_list (Sequence[Sequence[SegDataSample]]): For each photo, the prediction of each view with its
                ``seg_logits`` ``(C, H, W)`` at the photo's size.

        Returns:
            list[SegDataSample]: One a photo: ``pred_sem_seg`` ``(1, H, W)``, and the ground truth where there is one.
        """
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[SegDataSample]) -> SegDataSample:
        probabilities = views[0].seg_logits.data.softmax(dim=0)
        for view in views[1:]:
            probabilities += view.seg_logits.data.softmax(dim=0)
        probabilities /= len(views)
        if self.crf is not None:
            photo = np.ascontiguousarray(read_image(views[0].img_path)[..., ::-1])
            refined = refine.dense_crf(photo, probabilities.cpu().numpy(), **self.crf)
            probabilities = torch.from_numpy(refined).to(probabilities)
        merged = SegDataSample(metainfo=views[0].metainfo)
        merged.pred_sem_seg = PixelData(data=probabilities.argmax(dim=0, keepdim=True))
        if 'gt_sem_seg' in views[0]:
            merged.gt_sem_seg = views[0].gt_sem_seg
        return merged
