"""The runner of a stage that tests, with weights that fit."""

from mmengine.config import Config
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmamr.models.utils import load_weights
from mmamr.utils import end_with_launcher

from .hooks.guard_hooks import InterruptHook


def build_test_runner(cfg: Config) -> Runner:
    """Build the runner of a config, and load the checkpoint that it names into its model.

    mmengine logs names that do not match and goes on, so that a wrong file gives results of random weights. Here every
    tensor must find its place, and be finite.

    Args:
        cfg (Config): Config of a stage that tests; ``load_from`` names the checkpoint.

    Returns:
        Runner: Ready for ``runner.test()``.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        InputError: If it is not one of this model.
    """
    if cfg.get('launcher', 'none') != 'none':
        end_with_launcher()
    checkpoint, cfg.load_from = cfg.get('load_from'), None
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    cfg.load_from = checkpoint
    runner.register_hook(InterruptHook())
    if checkpoint:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        load_weights(model.module if isinstance(model, BaseTTAModel) else model, checkpoint)
        runner.logger.info(f'Load checkpoint from {checkpoint}')
    return runner
