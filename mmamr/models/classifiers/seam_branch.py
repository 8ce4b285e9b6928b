from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import SettingError

from ..losses.seam_loss import SEAMView
from .cam_branch import BranchOutput, CAMBranch, class_scores


@MODELS.register_module()
class SEAMBranch(CAMBranch):
    """Branch of SEAM: its CAMs are refined by pixel correlation, and trained to be the same at two scales.

    ``SEAMBranch`` in the place of :class:`CAMBranch` makes SEAM of a :class:`CAMClassifier`; as the spotlight of an
    :class:`AMRClassifier` it gets a compensation branch as any other. L_cls is the mean over both scales, L_cps
    compares the maps of the larger before they are refined.

    Args:
        backbone (dict): Config of a backbone with several levels, e.g. :class:`WideResNet38` with ``out_indices`` of
            (2, 3, 5).
        head (dict): Config of a :class:`SEAMHead`.
        scale (float): Of the second view of the images in training, in (0, 1). Defaults to 0.3.
        loss (dict): Config of the losses between both views. Defaults to ``dict(type='SEAMLoss')``.
        kwargs: See :class:`CAMBranch`.
    """

    def __init__(
        self, backbone: dict, head: dict, scale: float = 0.3, loss: dict = dict(type='SEAMLoss'), **kwargs: Any
    ) -> None:
        super().__init__(backbone, head, **kwargs)
        if not 0 < scale < 1:
            raise SettingError(f'scale must be in (0, 1), but got {scale}')
        self.scale = scale
        self.loss = MODELS.build(loss)

    def maps_and_refined(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Class maps before ReLU and refined ones with the background first."""
        feats = self.features(inputs)
        maps = self.head(feats)
        return maps, self.head.refine(maps, feats, inputs)

    def class_maps(self, inputs: Tensor) -> Tensor:
        """What CAMs are made of: the refined maps of the classes, ``(N, num_classes, h, w)``, less their minimum.

        Pixel correlation leaves no pixel at 0; the release subtracts the minimum where it normalises the sum over
        scales, here each scale has its own.
        """
        refined = self.maps_and_refined(inputs)[1][:, 1:]
        return refined - refined.amin((2, 3), keepdim=True)

    def forward_train(self, inputs: Tensor, labels: Tensor) -> BranchOutput:
        """Maps of the images; class scores at both scales; ER, ECR and adaptive minimum pooling."""
        size = [max(int(side * self.scale), 1) for side in inputs.shape[2:]]
        small = F.interpolate(inputs, size, mode='bilinear', align_corners=True)
        outputs = [self.maps_and_refined(view) for view in (inputs, small)]
        views = [SEAMView(*self.resize(output, view.shape[2:])) for output, view in zip(outputs, (inputs, small))]
        return BranchOutput(outputs[0][0], [class_scores(view.maps) for view in views], self.loss(views, labels))

    @staticmethod
    def resize(maps: Sequence[Tensor], size: Sequence[int]) -> list[Tensor]:
        """Maps at the size of their images."""
        return [F.interpolate(one, size, mode='bilinear', align_corners=True) for one in maps]
