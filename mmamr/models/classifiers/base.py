from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import torch
from mmpretrain.models.classifiers import BaseClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmamr.cams import Climbing, batch_cams, climbed_cams
from mmamr.registry import MODELS
from mmamr.structures import CAM
from mmamr.utils import frozen

from ..utils import extract
from ..utils.memory_format import training_format
from .cam_branch import class_scores


class BaseCAMClassifier(BaseClassifier):
    """What the classifiers share: labels, prediction, and the class maps that the CAM stage asks for.

    Args:
        branches (dict): Configs of :class:`CAMBranch` by branch name; each becomes a submodule of that name.
        data_preprocessor (dict, optional): Config of the preprocessor. Defaults to mmpretrain's
            ``ClsDataPreprocessor`` without normalisation.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(
        self, branches: dict[str, dict], data_preprocessor: dict | None = None, init_cfg: dict | None = None
    ) -> None:
        data_preprocessor = dict(data_preprocessor or {})
        data_preprocessor.setdefault('type', 'mmpretrain.ClsDataPreprocessor')
        super().__init__(init_cfg=init_cfg, data_preprocessor=data_preprocessor)
        self.branches = tuple(branches)
        for name, branch in branches.items():
            self.add_module(name, MODELS.build({'type': 'CAMBranch', **branch}))

    @cached_property
    def _training_format(self) -> torch.memory_format:
        return training_format(self)

    @property
    def num_classes(self) -> int:
        """Number of foreground classes."""
        return getattr(self, self.branches[0]).head.num_classes

    @property
    def mixes_samples(self) -> bool:
        """Whether a sample's maps depend on its batch: AMM with statistics of the batch (rows A5, T9)."""
        return any(getattr(module, 'mixes_samples', False) for module in list(self.modules())[1:])

    def class_maps(self, inputs: Tensor) -> dict[str, Tensor]:
        """Class maps of every branch before ReLU (eq. 1).

        Args:
            inputs (Tensor): Normalised images ``(N, 3, H, W)``.

        Returns:
            dict[str, Tensor]: Branch name (``'spotlight'``, ``'compensation'``) to ``(N, num_classes, h, w)``.
        """
        return {name: getattr(self, name).class_maps(inputs) for name in self.branches}

    def make_cams(
        self,
        images: Tensor,
        classes: Sequence[Sequence[int]],
        scales: Sequence[float] = (1.0,),
        flip: bool = True,
        climbing: Climbing | None = None,
    ) -> list[CAM]:
        """CAMs of every branch over several scales.

        They do not depend on the other images of the batch. Where :attr:`mixes_samples`, images are therefore taken one
        by one, and an image and its mirror image are the batch, as in the released code.

        Args:
            images (Tensor): Normalised images of one size, ``(N, 3, H, W)``.
            classes (Sequence[Sequence[int]]): Foreground classes of each image, counted from 0.
            scales (Sequence[float]): Factors of the image's size. Defaults to ``(1.0, )``.
            flip (bool): Whether the mirror image is added at each scale. Defaults to True.
            climbing (Climbing, optional): How the images climb (AdvCAM); the maps are those of the classifier then,
                which SEAM's pixel correlation does not refine. Defaults to None: they do not.

        Returns:
            list[CAM]: One an image.
        """
        if self.mixes_samples:
            climbing = climbing and replace(climbing, max_batch=1)
            if len(images) > 1:
                return [
                    self.make_cams(image[None], [own], scales, flip, climbing)[0] for image, own in zip(images, classes)
                ]
        if climbing is None:
            return batch_cams(self.class_maps, images, classes, scales, flip)
        branches = {name: getattr(self, name) for name in self.branches}
        positive_weights = {name: branch.head.positive_weights for name, branch in branches.items()}
        with frozen(self):
            return climbed_cams(branches, positive_weights, images, classes, climbing, scales, flip)

    def layer_maps(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """What named layers of the spotlight's backbone give for normalised images ``(N, 3, H, W)``.

        Args:
            inputs (Tensor): The images.
            layers (Sequence[str]): Names of submodules of the backbone.

        Returns:
            list[Tensor]: ``(N, C, h, w)`` a layer.
        """
        return extract(getattr(self, self.branches[0]).backbone, inputs, layers)

    def extract_feat(self, inputs: Tensor) -> dict[str, Tensor]:
        """The feature map of every branch that its head sees, ``(N, C, h, w)``."""
        return {name: getattr(self, name).features(inputs)[-1] for name in self.branches}

    def forward(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[DataSample]:
        """
        Args:
            inputs (Tensor): Normalised images ``(N, 3, H, W)``.
            data_samples (list[DataSample], optional): Their labels. Defaults to None.
            mode (str): ``'tensor'`` returns :meth:`class_maps`, ``'predict'`` data samples with ``pred_score``,
                ``'loss'`` the losses. Defaults to ``'tensor'``.
        """
        if mode == 'tensor':
            return self.class_maps(inputs)
        if mode == 'loss':
            # the CAM stage chooses its own
            return self.loss(inputs.contiguous(memory_format=self._training_format), data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise RuntimeError(f"mode must be 'tensor', 'predict' or 'loss', but got {mode!r}")

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Class probabilities, the mean of the branches'."""
        maps = [getattr(self, name)(inputs) for name in self.branches]
        scores = torch.stack([self.logits(one).sigmoid() for one in maps]).mean(0)
        data_samples = data_samples if data_samples is not None else [DataSample() for _ in scores]
        for sample, score in zip(data_samples, scores):
            sample.set_pred_score(score)
        return data_samples

    @staticmethod
    def logits(maps: Tensor) -> Tensor:
        """Class scores ``(N, num_classes)``: global average pooling, in float32."""
        return class_scores(maps)

    def mean_loss_cls(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """L_cls, the mean over the class scores of several views."""
        return sum(self.loss_cls(one, labels) for one in logits) / len(logits)

    def targets(self, data_samples: list[DataSample], like: Tensor) -> Tensor:
        """Image-level labels as zeros and ones ``(N, num_classes)``, on the device of ``like``."""
        labels = torch.zeros(len(data_samples), self.num_classes)
        for row, sample in zip(labels, data_samples):
            row[sample.gt_label.cpu()] = 1
        return labels.to(like.device)
