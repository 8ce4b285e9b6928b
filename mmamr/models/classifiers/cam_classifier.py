from mmpretrain.structures import DataSample
from torch import Tensor

from mmamr.registry import MODELS

from .base import BaseCAMClassifier


@MODELS.register_module()
class CAMClassifier(BaseCAMClassifier):
    """One branch: the plain CAM classifier, the baseline of Tables 3-6.

    Its branch is called ``spotlight``, so that its checkpoint loads into :class:`AMRClassifier` as it is.

    Args:
        spotlight (dict): Config of the :class:`CAMBranch`.
        loss_cls (dict): Config of L_cls (eq. 9). Defaults to ``dict(type='MultiLabelSoftMarginLoss')``.
        data_preprocessor (dict, optional): Config of the preprocessor. Defaults to None.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(
        self,
        spotlight: dict,
        loss_cls: dict = dict(type='MultiLabelSoftMarginLoss'),
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__({'spotlight': spotlight}, data_preprocessor, init_cfg)
        self.loss_cls = MODELS.build(loss_cls)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """L_cls of eq. 9, and the losses that the branch has of its own."""
        labels = self.targets(data_samples, inputs)
        output = self.spotlight.forward_train(inputs, labels)
        return {'loss_cls': self.mean_loss_cls(output.logits, labels), **output.losses}
