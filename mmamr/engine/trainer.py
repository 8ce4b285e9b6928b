"""The runner of a training, watched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmamr.utils import FolderLock, InputError, check_training, end_with_launcher

from .hooks.guard_hooks import CheckpointCheckHook, DivergenceHook, InterruptHook


def build_train_runner(cfg: Config) -> Runner:
    """Build the runner of a training, which ends with one line where it diverges or is asked to end.

    Args:
        cfg (Config): Config of a stage that trains.

    Returns:
        Runner: Ready for :func:`train`.

    Raises:
        SettingError: If it would train nothing, or a number of its optimizer cannot be.
    """
    check_training(cfg)
    if cfg.get('launcher', 'none') != 'none':
        end_with_launcher()
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    runner.register_hook(InterruptHook())
    runner.register_hook(CheckpointCheckHook())
    runner.register_hook(DivergenceHook())
    return runner


def train(cfg: Config, hooks: Sequence[Hook] = ()) -> Runner:
    """Train, alone in the work folder.

    Args:
        cfg (Config): Config of a stage that trains.
        hooks (Sequence[Hook]): More hooks. Defaults to none.

    Returns:
        Runner: After the training.

    Raises:
        InputError: If another training is at work in the folder, or this one diverges.
    """
    runner = build_train_runner(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    with alone_in(runner.work_dir):
        runner.train()
    return runner


@contextmanager
def alone_in(folder: str) -> Iterator[None]:
    """Keep other trainings out of a folder; every process of a run must call it, the main one has the lock.

    Raises:
        InputError: On every process, if another training is at work there.
    """
    lock, answer = FolderLock(folder), [None]
    if is_main_process():
        try:
            lock.acquire()
        except InputError as error:
            answer = [error]  # type: ignore[list-item]
    broadcast_object_list(answer)
    if answer[0] is not None:
        raise answer[0]
    try:
        yield
    finally:
        lock.close()
