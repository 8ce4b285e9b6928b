"""One step of a run, in a process of its own: ``python -m mmamr.experiments.job '<JSON of a Job>'``.

A process of its own has its own share of the cores and its own GPU, and takes nothing over from the step before.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mmengine.config import Config

from mmamr.compat import keep_freed_memory
from mmamr.datasets import init_dataset
from mmamr.engine import apply_test_time, build_test_runner, resume_from_latest, train
from mmamr.evaluation import evaluate_cams
from mmamr.pipeline import WSSSRunner
from mmamr.utils import one_line_errors


@dataclass
class Job:
    """One step of a run.

    Args:
        kind (str): ``'train'``: train a model, from where an interrupted training stopped, without validation.
            ``'test'``: run the test loop of a config. ``'ensemble'``: measure the mean of several folders of CAMs.
            ``'pipeline'``: run a pipeline, as far as it is not done. ``'predict'``: masks of photos, by the work folder
            of a pipeline in the place of a config, into the work folder.
        name (str): Of the step, and of its log.
        config (str): Path of the config.
        work_dir (str): Work folder.
        options (dict): What is changed in the config, by dotted key. Defaults to nothing.
        checkpoint (str, optional): Of the kind 'test': weights to load. Defaults to None.
        cam_dirs (Sequence[str]): Of the kind 'ensemble': the folders. Defaults to none.
        curves_file (str, optional): Of the kind 'ensemble': the file for the curves. Defaults to None.
        stages (Sequence[str], optional): Of the kind 'pipeline': only these stages. Defaults to None: all.
        photos (str, optional): Of the kind 'predict': the folder of photos. Defaults to None.
    """

    kind: str
    name: str
    config: str
    work_dir: str
    options: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: str | None = None
    cam_dirs: Sequence[str] = ()
    curves_file: str | None = None
    stages: Sequence[str] | None = None
    photos: str | None = None

    def command(self) -> list[str]:
        """The command line that does the step."""
        if self.kind == 'predict':
            # in a room above this one
            return [sys.executable, '-m', 'mmamr.cli', 'predict', self.config, str(self.photos), '--out', self.work_dir]
        return [sys.executable, '-m', 'mmamr.experiments.job', json.dumps(asdict(self))]

    def run(self) -> None:
        """Do the step in this process."""
        {'train': self.train, 'test': self.test, 'ensemble': self.measure_mean, 'pipeline': self.run_pipeline}[
            self.kind
        ]()

    def load_config(self) -> Config:
        """The config with its options and work folder."""
        cfg = Config.fromfile(self.config)
        cfg.merge_from_dict(dict(self.options))
        cfg.work_dir = self.work_dir
        return cfg

    def train(self) -> None:
        """Train a model; a training that was interrupted goes on."""
        cfg = self.load_config()
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        resume_from_latest(cfg)
        train(cfg)

    def test(self) -> None:
        """Run the test loop of a config."""
        cfg = self.load_config()
        if self.checkpoint is not None:
            cfg.load_from = self.checkpoint
        apply_test_time(cfg)
        build_test_runner(cfg).test()

    def measure_mean(self) -> None:
        """Measure the mean of several folders of CAMs."""
        evaluate_cams(init_dataset(self.load_config()), list(self.cam_dirs), curves_file=self.curves_file)

    def run_pipeline(self) -> None:
        """Run a pipeline, as far as it is not done."""
        cfg = self.load_config()
        cfg.resume = True
        cfg.only_stages = self.stages
        WSSSRunner.from_cfg(cfg).train()


def main(argv: Sequence[str] | None = None) -> None:
    (text,) = sys.argv[1:] if argv is None else argv
    keep_freed_memory()
    with one_line_errors():
        Job(**json.loads(text)).run()


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
