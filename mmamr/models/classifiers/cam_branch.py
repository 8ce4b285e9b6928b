from collections.abc import Sequence
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmamr.registry import MODELS

from ..modulation import attach_amm, detach_after


class BranchOutput(NamedTuple):
    """What a branch gives in training."""

    maps: Tensor  # class maps before ReLU, (N, num_classes, h, w)
    logits: list[Tensor]  # class scores (N, num_classes) of each view of the images; L_cls is the mean over them
    losses: dict[str, Tensor]  # of its own


def class_scores(maps: Tensor) -> Tensor:
    """Class scores ``(N, num_classes)`` of class maps: global average pooling, in float32."""
    return maps.float().mean((2, 3))


@MODELS.register_module()
class CAMBranch(BaseModule):
    """Backbone, neck and CAM head: one branch of a classifier, with or without AMM.

    Args:
        backbone (dict): Config of any backbone of mmpretrain or mmseg.
        head (dict): Config of the head, e.g. ``dict(type='CAMHead', num_classes=20, in_channels=2048)``.
        neck (dict, optional): Config of a neck, e.g. :class:`AMMNeck`. Defaults to None.
        modulation (dict, optional): ``layers`` (regular expressions for full names of submodules of the backbone) and
            ``amm`` (config of the AMM behind each); see :func:`attach_amm`. Defaults to None.
        detach_after (str | Sequence[str], optional): Names of submodules of the backbone behind which the gradient
            stops (row T3). Defaults to None.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        neck: dict | None = None,
        modulation: dict | None = None,
        detach_after: str | Sequence[str] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        # Some backbones freeze their stages in train() only, but a distributed wrapper must know before that.
        self.backbone.train()
        self.amm = self.attach(modulation)
        if detach_after is not None:
            self.stop_gradient(detach_after)
        self.neck = None if neck is None else MODELS.build(neck)
        self.head = MODELS.build(head)

    def attach(self, modulation: dict | None) -> nn.ModuleDict | None:
        """Attach the AMMs to the backbone."""
        if modulation is None:
            return None
        return attach_amm(self.backbone, modulation['layers'], {'type': 'AMM', **modulation.get('amm', {})})

    def stop_gradient(self, layers: str | Sequence[str]) -> None:
        """Stop the gradient behind named submodules of the backbone."""
        detach_after(self.backbone, layers)

    def features(self, inputs: Tensor) -> Sequence[Tensor]:
        """Feature maps that the head sees, ``(N, C, h, w)`` the last of them."""
        feats = self.backbone(inputs)
        feats = (feats,) if isinstance(feats, Tensor) else feats
        return feats if self.neck is None else self.neck(feats)

    def forward(self, inputs: Tensor) -> Tensor:
        """Class maps before ReLU, ``(N, num_classes, h, w)``, of normalised images ``(N, 3, H, W)``."""
        return self.head(self.features(inputs))

    def class_maps(self, inputs: Tensor) -> Tensor:
        """The maps that CAMs are made of; a branch may refine those of :meth:`forward`."""
        return self(inputs)

    def forward_train(self, inputs: Tensor, labels: Tensor) -> BranchOutput:
        """Maps, class scores and losses of the branch alone, of images ``(N, 3, H, W)`` with labels
        ``(N, num_classes)``."""
        maps = self(inputs)
        return BranchOutput(maps, [class_scores(maps)], {})
