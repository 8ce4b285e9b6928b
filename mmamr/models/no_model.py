import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmamr.registry import MODELS


@MODELS.register_module()
class NoModel(BaseModel):
    """Stands where a runner wants a model, in stages that need none."""

    def __init__(self) -> None:
        super().__init__()
        # DistributedDataParallel refuses a module without a parameter
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> dict:
        """There is nothing to compute."""
        raise NotImplementedError('this stage has no model; it is run by tools/test.py')
