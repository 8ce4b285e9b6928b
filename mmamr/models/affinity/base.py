"""What IRNet and AffinityNet share."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement, PixelData
from torch import Tensor

from mmamr.registry import MODELS
from mmamr.utils import SettingError

from ..utils import extract


class AffinityModel(BaseModel):
    """A network that tells which pixels belong together, and the random walk over CAMs that uses it.

    Subclasses give the maps (:meth:`affinity`), what is learned (:meth:`loss`) and the walk (:meth:`walk`).

    Args:
        backbone (dict): Any backbone of mmseg or mmpretrain.
        taps (Sequence[str], optional): Names of the submodules of the backbone whose outputs the heads see. Defaults to
            None: they see what the backbone returns.
        data_preprocessor (dict, optional): Normalisation and padding, e.g. ``mmseg.SegDataPreProcessor``. Defaults to
            None.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        taps: Sequence[str] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.taps = None if taps is None else tuple(taps)
        names = {name for name, _ in self.backbone.named_modules()}
        missing = [name for name in self.taps or () if name not in names]
        if missing:
            raise SettingError(
                f'taps {missing} name no submodules of {type(self.backbone).__name__}; it has '
                f'{[name for name, _ in self.backbone.named_children()]}'
            )

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Feature maps ``(N, C_l, h_l, w_l)``, one a level, of normalised images ``(N, 3, H, W)``."""
        return extract(self.backbone, inputs, self.taps)

    @abstractmethod
    def affinity(self, inputs: Tensor) -> list[dict[str, Tensor]]:
        """Named maps of each of the normalised images ``(N, 3, H, W)``."""

    @abstractmethod
    def walk(self, cam: Tensor, affinity: dict[str, Tensor]) -> Tensor:
        """Spread a CAM ``(C, h, w)`` along the maps of its image, from :meth:`affinity`."""

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """Named losses of a batch; the sum is what is learned from."""

    @abstractmethod
    def _forward(self, inputs: Tensor) -> tuple[Tensor, ...] | Tensor:
        """What the heads give for normalised images ``(N, 3, H, W)``."""

    def forward(
        self, inputs: Tensor, data_samples: list[BaseDataElement] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[BaseDataElement] | tuple[Tensor, ...] | Tensor:
        """
        Args:
            inputs (Tensor): Normalised images ``(N, 3, H, W)``.
            data_samples (list[BaseDataElement], optional): For 'loss', each with ``gt_sem_seg``, the affinity label
                ``(1, H, W)`` with 255 ignored. Defaults to None.
            mode (str): 'loss', 'predict' or 'tensor'. Defaults to 'tensor'.

        Returns:
            dict, list or Tensor: Losses; the data samples, each with the maps of :meth:`affinity` as ``PixelData``
            under their names; or what the heads give.
        """
        if mode == 'loss':
            assert data_samples is not None
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs)
        raise RuntimeError(f'mode must be loss, predict or tensor, got {mode}')

    def predict(self, inputs: Tensor, data_samples: list[BaseDataElement] | None = None) -> list[BaseDataElement]:
        """Put the maps of :meth:`affinity` into the data samples, made where there are none."""
        data_samples = data_samples or [BaseDataElement() for _ in inputs]
        for sample, maps in zip(data_samples, self.affinity(inputs)):
            for name, data in maps.items():
                sample.set_field(PixelData(data=data), name)
        return data_samples

    @staticmethod
    def label_map(data_samples: Sequence[BaseDataElement], stride: int) -> Tensor:
        """Affinity labels of a batch at a stride, uint8 ``(N, ceil(H / stride), ceil(W / stride))``.

        The label is that of the pixel that a padded convolution of this stride is centred on.
        """
        labels = torch.stack([sample.gt_sem_seg.data[0] for sample in data_samples])
        return labels[:, ::stride, ::stride].to(torch.uint8)
