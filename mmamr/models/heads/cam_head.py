from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import check_number


@MODELS.register_module()
class CAMHead(BaseModule):
    """Classifier whose maps are the class activation maps: a 1x1 convolution w, then global average pooling.

    The convolution has no bias: ``mean(w · F) = w · mean(F)``, so the maps M = wᵀF of eq. 1 are what the classification
    loss trains.

    Args:
        num_classes (int): Number of foreground classes N.
        in_channels (int): Channels of the last feature map.
        init_cfg (dict, optional): Initialization config. Defaults to a normal distribution with deviation 0.01.
    """

    def __init__(
        self, num_classes: int, in_channels: int, init_cfg: dict | None = dict(type='Normal', layer='Conv2d', std=0.01)
    ) -> None:
        super().__init__(init_cfg)
        check_number('num_classes', num_classes, 1, whole=True)
        check_number('in_channels', in_channels, 1, whole=True)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.conv = nn.Conv2d(in_channels, num_classes, 1, bias=False)

    def forward(self, feats: Tensor | Sequence[Tensor]) -> Tensor:
        """Class maps before ReLU (eq. 1).

        Args:
            feats (Tensor | Sequence[Tensor]): ``(N, C, h, w)``, or several maps of which the last is taken.

        Returns:
            Tensor: ``(N, num_classes, h, w)``.
        """
        return self.conv(feats if isinstance(feats, Tensor) else feats[-1])

    @property
    def positive_weights(self) -> Tensor:
        """How many weights of each class are positive, ``(num_classes, )``: what Grad-CAM divides by (row C2)."""
        return (self.conv.weight.detach() > 0).sum((1, 2, 3))
