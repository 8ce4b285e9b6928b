"""What watches every training and every test: it must not go on once it was asked to end, or has diverged."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmamr.registry import HOOKS
from mmamr.utils import InputError, check_number, raise_if_interrupted

CURE = 'lower optim_wrapper.optimizer.lr, or clip gradients (optim_wrapper.clip_grad)'


@HOOKS.register_module()
class InterruptHook(Hook):
    """End a run that was asked to end, where the exception of the signal was swallowed.

    See :func:`mmamr.utils.interruptible`. All trainings and tests of the tools have it.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        raise_if_interrupted()

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        raise_if_interrupted()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        raise_if_interrupted()

    def after_run(self, runner: Runner) -> None:
        raise_if_interrupted()


@HOOKS.register_module()
class DivergenceHook(Hook):
    """End a training whose loss or weights are no longer finite numbers.

    The loss is looked at where mmengine has fetched it from the device for its log, so an iteration waits for nothing
    more; the weights before each checkpoint, which is then not written. All trainings of the tools have it.

    Args:
        patience (int): Iterations in a row whose loss may be infinite or NaN where the optimizer scales the loss
            (``AmpOptimWrapper``), which leaves such a step out and lowers its scale. Defaults to 10.
    """

    # after RuntimeInfoHook, which fetches the loss
    priority = 'NORMAL'

    def __init__(self, patience: int = 10) -> None:
        check_number('patience', patience, 0, whole=True)
        self.patience = patience
        self.bad = 0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Look at the losses of the iteration."""
        name = next((name for name in outputs or () if not math.isfinite(self._value(runner, name))), None)
        if name is None:
            self.bad = 0
            return
        self.bad += 1
        scaled = hasattr(runner.optim_wrapper, 'loss_scaler')
        if self.bad > (self.patience if scaled else 0):
            value = self._value(runner, name)
            raise InputError(
                f'{runner.work_dir}: the training diverged, {name} is {value} in iteration {runner.iter + 1} '
                f'(epoch {runner.epoch + 1}): {CURE}'
            )

    @staticmethod
    def _value(runner: Runner, name: str) -> float:
        """A loss as it was logged; 0 for what is no number and was not."""
        key = f'train/{name}'
        return float(runner.message_hub.get_scalar(key).current()) if key in runner.message_hub.log_scalars else 0.0

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at the weights.

        Raises:
            InputError: If one is no finite number.
        """
        weights = {
            name: value
            for name, value in checkpoint.get('state_dict', {}).items()
            if isinstance(value, Tensor) and value.is_floating_point() and value.numel()
        }
        if not weights:
            return
        finite = torch.stack([value.isfinite().all() for value in weights.values()]).tolist()
        broken = [name for name, fine in zip(weights, finite) if not fine]
        if broken:
            raise InputError(
                f'{runner.work_dir}: the training diverged, {broken[0]} and {len(broken) - 1} other weights are no '
                f'finite numbers in iteration {runner.iter + 1}; the checkpoint is not written: {CURE}'
            )
