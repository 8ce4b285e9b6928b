import torch.nn.functional as F
from torch import Tensor, nn

from mmamr.registry import MODELS
from mmamr.utils import SettingError, check_choice, check_number

EPS = 1e-5


@MODELS.register_module()
class CrossPseudoSupervisionLoss(nn.Module):
    """L_cps of eq. 11: the mean absolute difference of the maps of both branches.

    Each sample's mean is taken first, then the mean over the batch, so that the loss depends neither on who else is in
    the batch nor on the number of processes (unless ``samples`` says so).

    Args:
        loss_weight (float): The paper has 1, the released code 0.05. Defaults to 1.
        relu (bool): Whether the maps pass a ReLU first, as in the released code. The paper does not say so; without it
            the branches must agree where a class is not, too. Defaults to True.
        normalize (bool): Divide each class map by its maximum first; needs ``relu``. Defaults to False.
        classes (str): Average over ``'all'`` classes, as in the released code, or only over those ``'present'`` in the
            image. Defaults to ``'all'``.
        samples (str): ``'all'`` of the batch, or ``'first-pair'``: the map of the first plus the mirrored one of the
            second, another image, as in the released code (row T5), where the others never enter; the loss is then that
            of one map and depends on the batch. Defaults to ``'all'``.
        detach (str, optional): The branch that is a fixed target, ``'spotlight'`` or ``'compensation'``; None lets both
            move. Defaults to None.
    """

    CLASSES = ('all', 'present')
    SAMPLES = ('all', 'first-pair')
    DETACH = (None, 'spotlight', 'compensation')

    def __init__(
        self,
        loss_weight: float = 1.0,
        relu: bool = True,
        normalize: bool = False,
        classes: str = 'all',
        samples: str = 'all',
        detach: str | None = None,
    ) -> None:
        super().__init__()
        check_choice('classes', classes, self.CLASSES)
        check_choice('samples', samples, self.SAMPLES)
        check_choice('detach', detach, self.DETACH)
        if normalize and not relu:
            raise SettingError('normalize divides by the maximum of a map after ReLU, but relu is False')
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight
        self.relu = relu
        self.normalize = normalize
        self.classes = classes
        self.samples = samples
        self.detach = detach

    def forward(self, spotlight: Tensor, compensation: Tensor, labels: Tensor) -> Tensor:
        """
        Args:
            spotlight (Tensor): Class maps M_S before ReLU, ``(N, num_classes, h, w)``.
            compensation (Tensor): Class maps M_C before ReLU; resized to ``spotlight`` where their sizes differ.
            labels (Tensor): Zeros and ones ``(N, num_classes)``.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        spotlight, compensation = self.prepare(spotlight), self.prepare(compensation)
        if self.samples == 'first-pair':
            spotlight, compensation = first_pair(spotlight), first_pair(compensation)
            labels = labels[:2].amax(0, keepdim=True)
        if compensation.shape[2:] != spotlight.shape[2:]:
            compensation = F.interpolate(compensation, spotlight.shape[2:], mode='bilinear', align_corners=False)
        if self.detach == 'spotlight':
            spotlight = spotlight.detach()
        elif self.detach == 'compensation':
            compensation = compensation.detach()
        difference = (spotlight - compensation).abs().mean((2, 3))
        if self.classes == 'all':
            sample = difference.mean(1)
        else:
            sample = (difference * labels).sum(1) / labels.sum(1).clamp(min=1)
        return self.loss_weight * sample.mean()

    def prepare(self, maps: Tensor) -> Tensor:
        """Maps in float32, after ReLU and with their maximum at 1 where that is asked for."""
        maps = maps.float().relu() if self.relu else maps.float()
        return maps / (maps.amax((2, 3), keepdim=True) + EPS) if self.normalize else maps


def first_pair(maps: Tensor) -> Tensor:
    """The first map plus the mirrored second, ``(1, C, h, w)``; of a batch of one, its map."""
    return maps[:1] + maps[1:2].flip(3) if len(maps) > 1 else maps
