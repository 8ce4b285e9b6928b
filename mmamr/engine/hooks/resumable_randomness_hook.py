import numpy as np
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner, set_random_seed

from mmamr.registry import HOOKS
from mmamr.utils import raise_if_interrupted


@HOOKS.register_module()
class ResumableRandomnessHook(Hook):
    """Let a training that was interrupted and resumed draw the random numbers of one that was not.

    - Before every iteration the generators of the process are seeded with the seed of the run, the rank and the number
      of the iteration, so what a step draws (dropout) depends on nothing that came before it.
    - The generators of a loader's workers (augmentation) live as long as the workers do. When a training by epochs
      resumes, the batches of the epochs that are done are loaded once more, without training on them, as MMEngine's
      :class:`~mmengine.runner.IterBasedTrainLoop` does with those of its iterations.

    A run with a ``randomness.seed`` then ends with the same weights however often it was interrupted, on the same
    number of processes and workers. With ``num_workers=0`` this holds for trainings by epochs only.
    """

    # The sampler of the epoch is set by DistSamplerSeedHook, after this one.
    priority = 'ABOVE_NORMAL'

    def before_train(self, runner: Runner) -> None:
        """Bring the workers of the loader to where they were."""
        loader = runner.train_loop.dataloader
        # Workers that are started anew each epoch are seeded anew, by MMEngine.
        if isinstance(runner.train_loop, IterBasedTrainLoop) or not loader.persistent_workers:
            return
        if not 0 < runner.epoch < runner.max_epochs:
            return
        runner.logger.info(f'Loading the batches of {runner.epoch} epochs again: augmentation goes on where it was')
        sampler = loader.sampler if hasattr(loader.sampler, 'set_epoch') else loader.batch_sampler.sampler
        for epoch in range(runner.epoch):
            if hasattr(sampler, 'set_epoch'):
                sampler.set_epoch(epoch)
            for _ in loader:
                raise_if_interrupted()

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed what is drawn before the first iteration."""
        self._seed(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Seed what the iteration draws."""
        self._seed(runner)

    def _seed(self, runner: Runner) -> None:
        seed = int(np.random.SeedSequence([runner.seed, get_rank(), runner.iter]).generate_state(1)[0])
        set_random_seed(seed)
