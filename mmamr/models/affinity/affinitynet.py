"""AffinityNet: pixel-level semantic affinity from image-level supervision (Ahn and Kwak, CVPR 2018)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmamr.refine import affinity_walk, check_walk
from mmamr.registry import MODELS
from mmamr.utils import SettingError

from .base import AffinityModel


@MODELS.register_module()
class AffinityNet(AffinityModel):
    """A feature whose differences are affinities, learned together with its backbone.

    Args:
        backbone (dict): Any backbone of mmseg or mmpretrain that gives the levels of the head. Freeze its stem by
            ``frozen_stages``, as the original does.
        head (dict): Feature of all pixels, e.g. ``dict(type='AffinityHead', …)``.
        stride (int): Stride of the feature, that of the backbone's first level. Defaults to 8.
        taps (Sequence[str], optional): Names of the submodules of the backbone whose outputs the head sees. Defaults to
            None: it sees what the backbone returns.
        walk_cfg (dict): Arguments of :func:`mmamr.refine.affinity_walk`. Defaults to
            ``dict(radius=5, beta=8, exp_times=8)``.
        data_preprocessor (dict, optional): Normalisation and padding. Defaults to None.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        stride: int = 8,
        taps: Sequence[str] | None = None,
        walk_cfg: dict = dict(radius=5, beta=8, exp_times=8),
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(backbone, taps, data_preprocessor, init_cfg)
        self.head = MODELS.build(head)
        self.stride = stride
        check_walk(walk_cfg, 'walk_cfg')
        self.walk_cfg = dict(walk_cfg)

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """As that of the base class; raises ValueError if the first level is not of the model's stride."""
        features = super().extract_feat(inputs)
        found, expected = features[0].shape[-2:], [-(-length // self.stride) for length in inputs.shape[-2:]]
        if list(found) != expected:
            raise SettingError(
                f'the first level of the backbone has size {tuple(found)}, but stride {self.stride} needs '
                f'{tuple(expected)}: correct `stride` or `taps` of the model'
            )
        return features

    def _forward(self, inputs: Tensor) -> Tensor:
        """Feature ``(N, C, ceil(H / stride), ceil(W / stride))``."""
        return self.head(self.extract_feat(inputs))

    def loss(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """Affinity loss, each term weighted, so that the sum is AffinityNet's."""
        return self.head.loss(self.extract_feat(inputs), self.label_map(data_samples, self.stride))

    @torch.no_grad()
    def affinity(self, inputs: Tensor) -> list[dict[str, Tensor]]:
        """Feature of normalised images ``(N, 3, H, W)``.

        Returns:
            list[dict[str, Tensor]]: One an image: ``feature`` ``(C, ceil(H / stride), ceil(W / stride))``.
        """
        return [dict(feature=feature) for feature in self._forward(inputs).float()]

    def walk(self, cam: Tensor, affinity: dict[str, Tensor]) -> Tensor:
        """Spread a CAM ``(C, h, w)`` over pixels of similar features.

        The walk runs at the stride of the feature, as in the original: the CAM is averaged down to it and resized back.

        Args:
            cam (Tensor): CAM or any other score of shape ``(C, h, w)``.
            affinity (dict[str, Tensor]): Of the image, from :meth:`affinity`.

        Returns:
            Tensor: Of the shape, dtype and device of ``cam``.
        """
        feature = affinity['feature']
        if feature.shape[-2:] == cam.shape[-2:]:
            return affinity_walk(cam, feature, **self.walk_cfg)
        height, width = feature.shape[-2:]
        small = F.adaptive_avg_pool2d(cam.float(), (height, width))
        walked = affinity_walk(small, feature, **self.walk_cfg)
        return F.interpolate(walked[None], cam.shape[-2:], mode='bilinear', align_corners=False)[0].to(cam.dtype)
