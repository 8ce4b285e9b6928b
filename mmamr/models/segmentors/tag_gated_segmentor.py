"""A segmentation model that asks the classifier which classes a photo shows."""

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import SettingError, check_number

from ..classifiers.cam_branch import class_scores


@MODELS.register_module()
class TagGatedSegmentor(EncoderDecoder):
    """An :class:`mmseg.EncoderDecoder` whose pixels heed what a classifier says of the whole photo.

    Few photos teach a head on single pixels what is an object sooner than which one it is; a classifier, which sees the
    whole photo, tells classes apart better. So ``weight`` times the logarithm of the classifier's probability of a
    class is added to that class's scores of all pixels, beside that of the most probable one, whose scores stay, as do
    the background's: a classifier that is sure of nothing must not make objects background. Training is that of the
    parent, the classifier is fixed. Its images are normalised as those of the segmentation model.

    Args:
        tagger (dict): Config of the classifier: a :class:`CAMBranch` of the foreground classes, whose ``init_cfg``
            names its weights.
        weight (float): How much it counts; 0 is not at all. Defaults to 1.
        **kwargs: Of :class:`mmseg.EncoderDecoder`, with ``mode='whole'``.

    Raises:
        SettingError: If windows slide over the photo, which would be tagged one by one, or a head has no channel for
            the background.
    """

    def __init__(self, tagger: dict, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_number('weight', weight, 0)
        if self.test_cfg.get('mode', 'whole') != 'whole':
            raise SettingError("TagGatedSegmentor looks at whole photos: set model.test_cfg.mode='whole'")
        self.weight = weight
        self.tagger: BaseModule = MODELS.build(tagger)
        if self.out_channels != self.tagger.head.num_classes + 1:
            raise SettingError(
                f'the segmentation model has {self.out_channels} channels, its tagger {self.tagger.head.num_classes} '
                'classes: there must be one more, for the background'
            )
        self.tagger.requires_grad_(False)

    def train(self, mode: bool = True) -> 'TagGatedSegmentor':
        """Switch the mode; the classifier stays in evaluation mode."""
        super().train(mode)
        self.tagger.eval()
        return self

    def gate(self, logits: Tensor, inputs: Tensor) -> Tensor:
        """Scores of the classes ``(N, K + 1, h, w)``, gated by what the images ``(N, 3, H, W)`` show as a whole."""
        tags = F.logsigmoid(class_scores(self.tagger(inputs)))
        tags = self.weight * (tags - tags.amax(1, keepdim=True))
        return logits + F.pad(tags, (1, 0))[..., None, None].to(logits)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Gated scores of the classes, at the size of the images."""
        return self.gate(super().encode_decode(inputs, batch_img_metas), inputs)
