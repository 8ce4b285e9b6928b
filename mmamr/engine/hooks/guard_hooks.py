"""What watches every training and every test: it must not go on once it was asked to end, or has diverged."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
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
class CheckpointCheckHook(Hook):
    """Refuse a checkpoint that a training cannot start or resume from.

    mmengine logs names and shapes that do not match, and goes on. A training that resumes needs all that its checkpoint
    was written with; one that starts from the weights of another model, of which it may share a part, needs some of
    them. No weight may be infinite or NaN. All trainings of the tools have it.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: Any) -> None:
        """Look at what was read.

        Raises:
            InputError: If it does not fit.
        """
        path, resume = runner._load_from, runner._resume
        if not isinstance(checkpoint, Mapping):
            raise InputError(f'{path} holds no checkpoint, but a {type(checkpoint).__name__}; name another file')
        state = checkpoint.get('state_dict', {} if resume else checkpoint)
        if resume:
            meta = checkpoint.get('meta')
            known = isinstance(meta, Mapping) and all(isinstance(meta.get(name), int) for name in ('epoch', 'iter'))
            missing = [] if known else ['meta']
            missing += [name for name in ('state_dict', 'message_hub', 'optimizer') if name not in checkpoint]
            if missing:
                raise InputError(
                    f'{path} holds weights, but no training to resume ({", ".join(missing)} missing); start from it '
                    'with --cfg-options load_from=…, without --resume'
                )
        if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
            raise InputError(f'{path} holds no dictionary of tensors by name; name another checkpoint')
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        wanted = model.state_dict()
        given = {name.removeprefix('module.'): value for name, value in state.items()}
        common = [name for name in wanted if name in given]
        other = [name for name in common if wanted[name].shape != given[name].shape]
        broken = [name for name in common if not given[name].isfinite().all()]
        counters = sum(name.endswith('num_batches_tracked') for name in wanted if name not in given)
        if other or not common or (resume and len(wanted) - counters + len(given) > 2 * len(common)):
            raise InputError(
                f'{path} does not fit {type(model).__name__}: {len(wanted) - len(common)} weights are missing, '
                f"{len(given) - len(common)} are not the model's, {len(other)} have another shape; name a checkpoint "
                'that was trained with this config'
            )
        if broken:
            raise InputError(
                f'{path} holds what is no finite number in {len(broken)} weights ({broken[0]}, …): its training '
                'diverged; name another checkpoint'
            )


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
