"""Training on pseudo labels that leave pixels open."""

from typing import Any

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.utils import SampleList
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import InputError


@MODELS.register_module()
class PseudoLabelSegmentor(EncoderDecoder):
    """An :class:`mmseg.EncoderDecoder` that also learns from pixels whose pseudo label is 255, by the photo's tags.

    Labelled pixels have the decode head's losses, as ever. A pixel that is left open is background or one of the
    classes that the photo was tagged with, and ``loss_open`` says so. The tags are those of a
    :class:`mmamr.datasets.SegmentationDataset` with ``labels``, whose pipeline packs the key ``tags``. Padding is never
    counted. Any mmseg head with a channel a class will do; inference is that of the parent.

    Args:
        loss_open (dict): The loss of open pixels. Defaults to ``dict(type='mmamr.PartialLabelLoss')``.
        **kwargs: Of :class:`mmseg.EncoderDecoder`.
    """

    def __init__(self, loss_open: dict | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.loss_open = MODELS.build(loss_open or dict(type='mmamr.PartialLabelLoss'))

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of the heads, and ``decode.loss_open``.

        Args:
            inputs (Tensor): ``(N, 3, H, W)``, normalised.
            data_samples (list[SegDataSample]): The labels, with ``tags``: the classes of each photo, counted from 0
                without background.

        Returns:
            dict[str, Tensor]: Named losses.
        """
        features = self.extract_feat(inputs)
        logits = self.decode_head(features)
        losses = {f'decode.{name}': one for name, one in self.decode_head.loss_by_feat(logits, data_samples).items()}
        where = open_pixels(data_samples, self.decode_head.ignore_index)
        logits = resize(logits, size=where.shape[1:], mode='bilinear', align_corners=self.align_corners)
        candidates = candidates_of(data_samples, logits.shape[1]).to(logits.device)
        losses['decode.loss_open'] = self.loss_open(logits, candidates, where)
        if self.with_auxiliary_head:
            losses.update(self._auxiliary_head_forward_train(features, data_samples))
        return losses


def open_pixels(data_samples: SampleList, ignore_index: int = 255) -> Tensor:
    """Where labels are ``ignore_index``, but there is a photo: bool ``(N, H, W)``."""
    where = []
    for sample in data_samples:
        label = sample.gt_sem_seg.data[0]
        left, right, top, bottom = sample.metainfo.get('padding_size', (0, 0, 0, 0))
        inside = torch.zeros_like(label, dtype=torch.bool)
        # A crop that is smaller than the input was padded; nobody says how far but these sizes.
        inside[top : label.shape[0] - bottom, left : label.shape[1] - right] = True
        where.append(inside & (label == ignore_index))
    return torch.stack(where)


def candidates_of(data_samples: SampleList, num_classes: int) -> Tensor:
    """What the pixels of each photo may be: the background and its tags, bool ``(N, num_classes)``.

    Raises:
        InputError: If a sample has no tags.
    """
    candidates = torch.zeros(len(data_samples), num_classes, dtype=torch.bool)
    candidates[:, 0] = True
    for row, sample in zip(candidates, data_samples):
        tags = sample.metainfo.get('tags')
        if tags is None:
            raise InputError(
                'PseudoLabelSegmentor needs the tags of the photos: give train_dataloader.dataset labels, such as '
                "dict(type='VOCXMLLabels'), and add 'tags' to the meta_keys of PackSegInputs"
            )
        row[[tag + 1 for tag in tags]] = True
    return candidates
