"""Training on several scales of one image at once, as DeepLab-v2 does."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import SampleList, add_prefix
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import SettingError


@MODELS.register_module()
class MultiScaleInputSegmentor(EncoderDecoder):
    """An :class:`mmseg.EncoderDecoder` whose training step sees the image at several scales.

    The logits of each scale and their maximum over the scales, taken at the size of the first scale's logits, each get
    the decode head's losses (section 4.2 of `DeepLab-v2 <https://arxiv.org/abs/1606.00915>`_). All scales share all
    weights. Any mmseg head will do; an auxiliary head sees the first scale only. Inference is that of the parent.

    Args:
        train_scales (Sequence[float]): Factors of the input's size. Defaults to (1.0, 0.75, 0.5).
        **kwargs: Of :class:`mmseg.EncoderDecoder`.

    Raises:
        ValueError: If there are fewer than two scales or one is not positive.
    """

    def __init__(self, train_scales: Sequence[float] = (1.0, 0.75, 0.5), **kwargs: Any) -> None:
        if len(train_scales) < 2 or min(train_scales) <= 0:
            raise SettingError(f'train_scales must be at least two positive factors, got {train_scales}')
        super().__init__(**kwargs)
        self.train_scales = tuple(train_scales)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of each scale (``decode_<scale>.…``), of the maximum (``decode_max.…``) and of auxiliary heads.

        Args:
            inputs (Tensor): ``(N, 3, H, W)``, normalised.
            data_samples (list[SegDataSample]): The labels.

        Returns:
            dict[str, Tensor]: Named losses.
        """
        losses: dict[str, Tensor] = {}
        pyramid: list[Tensor] = []
        for i, scale in enumerate(self.train_scales):
            scaled = (
                inputs
                if scale == 1
                else resize(inputs, scale_factor=scale, mode='bilinear', align_corners=self.align_corners)
            )
            features = self.extract_feat(scaled)
            logits = self.decode_head(features)
            losses.update(add_prefix(self.decode_head.loss_by_feat(logits, data_samples), f'decode_{scale:g}'))
            if i == 0 and self.with_auxiliary_head:
                losses.update(self._auxiliary_head_forward_train(features, data_samples))
            if i > 0:
                logits = resize(logits, size=pyramid[0].shape[2:], mode='bilinear', align_corners=self.align_corners)
            pyramid.append(logits)
        fused = torch.stack(pyramid).amax(dim=0)
        losses.update(add_prefix(self.decode_head.loss_by_feat(fused, data_samples), 'decode_max'))
        return losses
