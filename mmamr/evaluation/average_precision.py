import numpy as np
import torch
from mmpretrain.evaluation import AveragePrecision as AveragePrecisionOverAll

from mmamr.registry import METRICS


@METRICS.register_module()
class AveragePrecision(AveragePrecisionOverAll):
    """mmpretrain's ``AveragePrecision`` with the mean over the classes that occur.

    A class without an image has no average precision; mmpretrain counts it as 0, so that even perfect scores stay
    below 100 on a small data set. ``average=None`` gives the same numbers as there, 0 for such a class.

    Args:
        average (str, optional): ``'macro'`` for the mean (mAP), None for each class. Defaults to 'macro'.
        collect_device (str): Where scores are collected from processes. Defaults to ``'cpu'``.
        prefix (str, optional): Prefix of the names. Defaults to None: ``'multi-label'``.
    """

    @staticmethod
    def calculate(
        pred: torch.Tensor | np.ndarray, target: torch.Tensor | np.ndarray, average: str | None = 'macro'
    ) -> torch.Tensor:
        """Average precision in percent.

        Args:
            pred (Tensor | np.ndarray): Scores ``(N, K)``.
            target (Tensor | np.ndarray): 1 where an image has a class, ``(N, K)``.
            average (str, optional): ``'macro'`` or None. Defaults to 'macro'.

        Returns:
            Tensor: The mean over the classes that occur, 0 if none does; of ``average=None`` ``(K, )``.
        """
        if average != 'macro':
            return AveragePrecisionOverAll.calculate(pred, target, average)
        each = AveragePrecisionOverAll.calculate(pred, target, None)
        occurs = (torch.as_tensor(target) == 1).any(0)
        return each[occurs].mean() if occurs.any() else each.new_zeros(())
