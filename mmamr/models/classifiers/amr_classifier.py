from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import SettingError

from ..utils import share_layers
from .base import BaseCAMClassifier
from .cam_branch import BranchOutput, class_scores


@MODELS.register_module()
class AMRClassifier(BaseCAMClassifier):
    r"""Spotlight and compensation branch, trained with L_all = L_cls + L_cps (eq. 10-12).

    .. math:: L_{all} = \frac{1}{2} (L_{cls}^s + L_{cls}^c) + \| M_S - M_C \|_1

    The two branches share nothing but ``shared_layers``. AMM sits in the compensation branch, behind named layers of
    its backbone (``modulation``) or after the last feature map (``neck``).

    Args:
        spotlight (dict): Config of the spotlight :class:`CAMBranch`.
        compensation (dict): Config of the compensation :class:`CAMBranch`.
        loss_cls (dict): Config of L_cls; half of it is taken of each branch. Defaults to
            ``dict(type='MultiLabelSoftMarginLoss')``.
        loss_cps (dict, optional): Config of L_cps; None leaves it out. Defaults to
            ``dict(type='CrossPseudoSupervisionLoss')``.
        frozen_spotlight (bool): The spotlight's features and class scores get no gradient: only its classifier moves,
            through L_cps alone, as in the released code (row T1). The branch is kept in evaluation mode. Defaults to
            False, joint training, as in the paper.
        shared_layers (str | Sequence[str], optional): Regular expressions for names of submodules of the backbones that
            both branches have in common and compute once. Layers that are frozen and start from the same weights give
            the same maps and gradients as two copies of them, in less time; layers that are trained become a common
            trunk. Defaults to None.
        data_preprocessor (dict, optional): Config of the preprocessor. Defaults to None.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(
        self,
        spotlight: dict,
        compensation: dict,
        loss_cls: dict = dict(type='MultiLabelSoftMarginLoss'),
        loss_cps: dict | None = dict(type='CrossPseudoSupervisionLoss'),
        frozen_spotlight: bool = False,
        shared_layers: str | Sequence[str] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__({'spotlight': spotlight, 'compensation': compensation}, data_preprocessor, init_cfg)
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_cps = None if loss_cps is None else MODELS.build(loss_cps)
        self.frozen_spotlight = frozen_spotlight
        self.shared_layers = (
            []
            if shared_layers is None
            else share_layers(self.spotlight.backbone, self.compensation.backbone, shared_layers)
        )
        if frozen_spotlight:
            if loss_cps is None:
                raise SettingError('a frozen spotlight is trained by loss_cps alone, but loss_cps is None')
            self.spotlight.requires_grad_(False)
            # not the whole head: a distributed wrapper waits for the gradient of each parameter that asks for one
            self.spotlight.head.conv.requires_grad_(True)

    def train(self, mode: bool = True) -> 'AMRClassifier':
        """Switch the mode; a frozen spotlight stays in evaluation mode."""
        super().train(mode)
        if self.frozen_spotlight:
            self.spotlight.eval()
        return self

    @contextmanager
    def computed_once(self) -> Iterator[None]:
        """Within, the second branch takes what the first has computed in the shared layers of the same images."""
        with ExitStack() as stack:
            for layer in self.shared_layers:
                stack.enter_context(layer.once())
            yield

    def class_maps(self, inputs: Tensor) -> dict[str, Tensor]:
        """Class maps of both branches before ReLU (eq. 1), ``(N, num_classes, h, w)``."""
        with self.computed_once():
            return super().class_maps(inputs)

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Class probabilities, the mean of the branches'."""
        with self.computed_once():
            return super().predict(inputs, data_samples)

    def forward_spotlight(self, inputs: Tensor, labels: Tensor) -> BranchOutput:
        """M_S and what belongs to it; a frozen spotlight has gradient for its head only, and no losses of its own."""
        if not self.frozen_spotlight:
            return self.spotlight.forward_train(inputs, labels)
        with torch.no_grad():
            feats = self.spotlight.features(inputs)
        maps = self.spotlight.head(feats)
        return BranchOutput(maps, [class_scores(maps)], {})

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Both halves of L_cls (eq. 10) and L_cps (eq. 11), and the losses that a branch has of its own.

        A frozen spotlight's half is logged, not trained.
        """
        labels = self.targets(data_samples, inputs)
        with self.computed_once():
            spotlight = self.forward_spotlight(inputs, labels)
            compensation = self.compensation.forward_train(inputs, labels)
        cls_spotlight = 0.5 * self.mean_loss_cls(spotlight.logits, labels)
        losses = {}
        if self.frozen_spotlight:
            # without 'loss' in its name mmengine logs it and leaves it out of the sum
            losses['cls_spotlight'] = cls_spotlight.detach()
        else:
            losses['loss_cls_spotlight'] = cls_spotlight
        losses['loss_cls_compensation'] = 0.5 * self.mean_loss_cls(compensation.logits, labels)
        for name, output in (('spotlight', spotlight), ('compensation', compensation)):
            losses.update({f'{loss}_{name}': value for loss, value in output.losses.items()})
        if self.loss_cps is not None:
            losses['loss_cps'] = self.loss_cps(spotlight.maps, compensation.maps, labels)
        return losses
