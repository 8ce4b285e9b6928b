from typing import Dict, List, Optional

from mmengine.model import BaseModel
from torch import Tensor

from mmamr.registry import MODELS


@MODELS.register_module()
class NoModel(BaseModel):
    """Stands where a runner wants a model, in stages that need none."""

    def forward(self, inputs: Tensor, data_samples: Optional[List] = None, mode: str = 'tensor') -> Dict:
        """There is nothing to compute."""
        raise NotImplementedError('this stage has no model; it is run by tools/test.py')
