"""IRNet: weakly supervised segmentation with inter-pixel relations (Ahn et al., CVPR 2019)."""

from collections.abc import Sequence

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmamr.refine import check_walk, random_walk
from mmamr.registry import MODELS

from ..utils import FoldedCopies, extract
from .base import AffinityModel


@MODELS.register_module()
class IRNet(AffinityModel):
    """Class boundaries and a displacement field on a backbone that stays as it is.

    The heads learn from confident pixels of CAMs; the boundaries then say where a random walk over the CAMs stops.

    Args:
        backbone (dict): Any backbone of mmseg or mmpretrain. It is not trained.
        edge_head (dict): Class boundary detection, e.g. ``dict(type='EdgeHead', …)``.
        displacement_head (dict): Displacement field, e.g. ``dict(type='DisplacementHead', …)``.
        taps (Sequence[str], optional): Names of the submodules of the backbone whose outputs the heads see:
            ``('maxpool', 'layer1', 'layer2', 'layer3', 'layer4')`` of a ResNet. Defaults to None: they see what the
            backbone returns.
        walk_cfg (dict): Arguments of :func:`mmamr.refine.random_walk`. Defaults to
            ``dict(radius=5, beta=10, exp_times=8)``.
        flip_test (bool): Average the edge logits of an image and its mirror. Defaults to True.
        data_preprocessor (dict, optional): Normalisation and padding. Defaults to None.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        edge_head: dict,
        displacement_head: dict,
        taps: Sequence[str] | None = None,
        walk_cfg: dict = dict(radius=5, beta=10, exp_times=8),
        flip_test: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(backbone, taps, data_preprocessor, init_cfg)
        self.edge_head = MODELS.build(edge_head)
        self.displacement_head = MODELS.build(displacement_head)
        check_walk(walk_cfg, 'walk_cfg')
        self.walk_cfg = dict(walk_cfg)
        self.flip_test = flip_test
        # Displacements are learned up to a constant, which MeanDisplacementHook measures after training.
        self.register_buffer('mean_displacement', torch.zeros(2))
        self.backbone.requires_grad_(False)
        self._copies = FoldedCopies()

    def train(self, mode: bool = True) -> 'IRNet':
        """Training mode reaches the heads only: the statistics of the backbone's norm layers stay as they are."""
        super().train(mode)
        self.backbone.eval()
        return self

    @torch.no_grad()
    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        return super().extract_feat(inputs)

    @torch.no_grad()
    def _training_features(self, inputs: Tensor) -> list[Tensor]:
        """:meth:`extract_feat` for a loss: a faster copy of the backbone, which is not trained, computes the same."""
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        return extract(self._copies(self.backbone, inputs), inputs, self.taps)

    def _forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Edge logits ``(N, 1, h, w)`` and displacements ``(N, 2, h, w)`` before their mean is subtracted."""
        features, size = self.extract_feat(inputs), inputs.shape[-2:]
        return self.edge_head(features, size), self.displacement_head(features, size)

    def loss(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """Affinity loss of the edges and displacement loss, each term weighted, so that the sum is IRNet's."""
        features, size = self._training_features(inputs), inputs.shape[-2:]
        segmap = self.label_map(data_samples, stride=4)
        return {**self.edge_head.loss(features, size, segmap), **self.displacement_head.loss(features, size, segmap)}

    @torch.no_grad()
    def affinity(self, inputs: Tensor) -> list[dict[str, Tensor]]:
        """Edges and displacements of normalised images ``(N, 3, H, W)``.

        Returns:
            list[dict[str, Tensor]]: One an image: ``edge`` ``(h, w)`` in [0, 1] and ``displacement`` ``(2, h, w)``,
            rows and columns to the centre in pixels of the map; ``h = ceil(H / 4)``, ``w = ceil(W / 4)``.
        """
        logits, displacement = self._forward(inputs)
        if self.flip_test:
            features = self.extract_feat(inputs.flip(-1))
            logits = (logits + self.edge_head(features, inputs.shape[-2:]).flip(-1)) / 2
        edge = logits.float().sigmoid().squeeze(1)
        displacement = displacement.float() - self.mean_displacement.view(2, 1, 1)
        return [dict(edge=e, displacement=d) for e, d in zip(edge, displacement)]

    def walk(self, cam: Tensor, affinity: dict[str, Tensor]) -> Tensor:
        """Spread a CAM ``(C, h, w)`` up to the class boundaries.

        Args:
            cam (Tensor): CAM or any other score of shape ``(C, h, w)``.
            affinity (dict[str, Tensor]): Of the image, from :meth:`affinity`.

        Returns:
            Tensor: Of the shape, dtype and device of ``cam``.
        """
        return random_walk(cam, affinity['edge'], **self.walk_cfg)
