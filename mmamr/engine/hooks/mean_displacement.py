"""The mean displacement of IRNet, measured once the heads are trained (Ahn et al., CVPR 2019)."""

from itertools import islice

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmamr.models.affinity import IRNet
from mmamr.registry import HOOKS
from mmamr.utils import evaluating, raise_if_interrupted


@torch.no_grad()
def measure_mean_displacement(model: IRNet, dataloader: DataLoader) -> Tensor:
    """Mean of the displacement field over the pixels of a data set, and of all processes.

    The displacement loss sees differences only, so the field is learned up to a constant: this one.

    Args:
        model (IRNet): Its mode is restored.
        dataloader (DataLoader): Batches as in training; it is passed through once. Each process has its own part.

    Returns:
        Tensor: Rows and columns, float32 of shape ``(2, )``, the same in all processes.
    """
    # Sums of rows and of columns, and the number of pixels.
    sums = model.mean_displacement.new_zeros(3, dtype=torch.float64)
    with evaluating(model):
        # A sampler without end, as iteration-based loops have, still has the length of its data set.
        for batch in islice(dataloader, len(dataloader)):
            raise_if_interrupted()
            # Batches are put together as in training, padding included.
            batch = model.data_preprocessor(batch, training=True)
            _, displacement = model(batch['inputs'], mode='tensor')
            sums[:2] += displacement.sum(dim=(0, 2, 3), dtype=torch.float64)
            sums[2] += displacement[:, 0].numel()
    all_reduce(sums)
    return (sums[:2] / sums[2].clamp(min=1)).float()


@HOOKS.register_module()
class MeanDisplacementHook(Hook):
    """Measure IRNet's mean displacement over the training set when training ends, before the last checkpoint is saved.

    It is a buffer of the model, so the checkpoint carries it. A run that is killed while measuring resumes from the
    checkpoint before, ends its training once more and measures then.
    """

    # Above that of CheckpointHook, which saves at the same points.
    priority = 'LOW'

    def after_train_epoch(self, runner: Runner) -> None:
        if not isinstance(runner.train_loop, IterBasedTrainLoop) and self.is_last_train_epoch(runner):
            self._measure(runner)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        if isinstance(runner.train_loop, IterBasedTrainLoop) and self.is_last_train_iter(runner):
            self._measure(runner)

    def _measure(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        mean = measure_mean_displacement(model, runner.train_dataloader)
        model.mean_displacement.copy_(mean)
        runner.logger.info(f'Mean displacement: {mean[0]:.4f} rows, {mean[1]:.4f} columns of the map')
