"""Run a stage of the tiny pipeline and write down each iteration that it trains; run by path with globals given."""

import os
from pathlib import Path

os.environ.update(environ, OMP_NUM_THREADS='1')  # noqa: F821

import torch
from mmengine.config import Config
from mmengine.runner.loops import EpochBasedTrainLoop, IterBasedTrainLoop

from mmamr.pipeline import WSSSRunner

torch.set_num_threads(1)
for loop in (EpochBasedTrainLoop, IterBasedTrainLoop):

    def run_iter(self, *args, run_iter=loop.run_iter):
        run_iter(self, *args)
        with open(iterations, 'a') as file:  # noqa: F821
            file.write(f'{self._iter}\n')

    loop.run_iter = run_iter
cfg = Config.fromfile(Path(__file__).parent / 'configs' / 'tiny_pipeline.py')
cfg.work_dir = str(work_dir)  # noqa: F821
cfg.merge_from_dict(dict(resume=True, only_stages=[stage]))  # noqa: F821
WSSSRunner.from_cfg(cfg).train()
