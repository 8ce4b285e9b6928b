"""Run the config of a stage in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mmamr.engine import build_test_runner, train
from mmamr.utils import progress_bar


class LastValidation(Hook):
    """Keeps the metrics of the last validation of a training."""

    metrics: dict[str, float] | None = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.metrics = metrics


class ProgressHook(Hook):
    """Shows how far a training is, in one line of the terminal.

    Args:
        name (str): In front of the line.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def before_train(self, runner: Runner) -> None:
        self.bar = progress_bar(self.name, runner.max_iters)
        self.advance = self.bar.__enter__()
        self.advance(runner.iter)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        self.advance(1)

    def after_train(self, runner: Runner) -> None:
        self.bar.__exit__(None, None, None)


@contextmanager
def quiet_terminal() -> Iterator[None]:
    """Let the loggers that are made in the block write to their files only, but for errors."""
    init = MMLogger.__init__

    def quiet_init(self: MMLogger, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        for handler in self.handlers:
            if type(handler) is logging.StreamHandler:
                handler.setLevel(logging.ERROR)

    MMLogger.__init__ = quiet_init
    try:
        yield
    finally:
        MMLogger.__init__ = init


def run_config(cfg: Config, kind: str) -> tuple[dict[str, float], list[dict[str, Any]], int | None]:
    """Run an ordinary config.

    Args:
        cfg (Config): The config, complete.
        kind (str): ``'train'`` or ``'test'``.

    Returns:
        tuple[dict[str, float], list[dict], int]: Metrics, of the last validation after a training; ``details`` of those
        metrics that have some, on the main process; and the seed.
    """
    if kind == 'test':
        runner = build_test_runner(cfg)
        metrics = runner.test()
        loop = runner.test_loop
    else:
        validation = LastValidation()
        runner = train(cfg, [validation, ProgressHook(cfg.get('experiment_name') or 'training')])
        # one that was killed between its last checkpoint and its last validation has nothing left to train
        metrics = validation.metrics or (runner.val() if cfg.get('val_cfg') is not None else {})
        loop = runner.val_loop
    numbers = {name: float(value) for name, value in (metrics or {}).items() if isinstance(value, Real)}
    evaluated = getattr(getattr(loop, 'evaluator', None), 'metrics', ())
    details = [metric.details for metric in evaluated if getattr(metric, 'details', None)]
    return numbers, details, runner.seed
