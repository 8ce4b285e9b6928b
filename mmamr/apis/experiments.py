"""Tables over several seeds: what has to be run, and what came out."""
import csv
import io
import json
import os
import os.path as osp
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch

from mmamr.utils import atomic_write


@dataclass
class Run:
    """One training with one seed, and its CAMs on every split.

    Args:
        name (str): Name of the run in the config.
        seed (int): Its seed.
        config (str): Config of the classifier.
        options (dict): What is changed in it, by dotted key.
        work_dir (str): Folder of the run.
        load_from (Run, optional): Run whose checkpoint this one starts from. Defaults to None.
    """

    name: str
    seed: int
    config: str
    options: Dict[str, object]
    work_dir: str
    load_from: Optional['Run'] = None

    def curves_file(self, split: str) -> str:
        """Where the curves of a split stand: mIoU of each kind of CAM at each threshold."""
        return osp.join(self.work_dir, f'curves_{split}.json')

    def checkpoint(self) -> str:
        """The last checkpoint.

        Raises:
            FileNotFoundError: If there is none.
        """
        marker = osp.join(self.work_dir, 'last_checkpoint')
        if not osp.exists(marker):
            raise FileNotFoundError(f'{self.work_dir} has no checkpoint: the training of {self.name} did not end')
        with open(marker, encoding='utf-8') as file:
            return osp.join(self.work_dir, osp.basename(file.read().strip()))


class Experiments:
    """The runs and the table of one experiment config.

    The config has ``title``; ``splits`` (name to list file); ``choose_on`` (the split whose best threshold is used on
    all of them); ``runs`` (name to ``config``, relative to the experiment config, with optional ``options`` and
    ``load_from``, the name of an earlier run); ``rows`` (each with ``name``, ``run``, the ``cam`` of
    :class:`~mmamr.evaluation.CAMMetric`, and optionally ``paper``, the paper's number).

    Args:
        cfg (mmengine.Config): The experiment config.
        config_dir (str): Folder that the configs of the runs are relative to.
        work_dir (str): Folder for runs and table.
        tools_dir (str): Folder of ``train.py`` and ``test.py``.
        seeds (Sequence[int]): One run a seed. Defaults to ``(0, 1, 2)``.
        runs (Sequence[str], optional): Only these runs. Defaults to None: all.

    Raises:
        ValueError: If the config names a run that it does not have.
    """

    def __init__(self,
                 cfg,
                 config_dir: str,
                 work_dir: str,
                 tools_dir: str,
                 seeds: Sequence[int] = (0, 1, 2),
                 runs: Optional[Sequence[str]] = None) -> None:
        self.cfg = cfg
        self.work_dir = work_dir
        self.tools_dir = tools_dir
        self.seeds = list(seeds)
        names = list(cfg.runs) if runs is None else list(runs)
        unknown = {*names, *(row['run'] for row in cfg.rows)} - set(cfg.runs)
        if unknown:
            raise ValueError(f'the experiment has no runs {sorted(unknown)}; it has {sorted(cfg.runs)}')
        self.rows = [row for row in cfg.rows if row['run'] in names]
        self.runs: Dict[tuple, Run] = {}
        for seed in self.seeds:
            for name in cfg.runs:
                if name in names:
                    self.add(name, seed, config_dir)

    def add(self, name: str, seed: int, config_dir: str) -> Run:
        """The run of a name and a seed, after the one that it starts from."""
        if (name, seed) not in self.runs:
            spec = self.cfg.runs[name]
            parent = self.add(spec['load_from'], seed, config_dir) if spec.get('load_from') else None
            self.runs[name, seed] = Run(name, seed, osp.normpath(osp.join(config_dir, spec['config'])),
                                        dict(spec.get('options', {})), osp.join(self.work_dir, name, f'seed{seed}'),
                                        parent)
        return self.runs[name, seed]

    def missing(self, run: Run) -> List[str]:
        """Splits of a run that have not been measured."""
        return [split for split in self.cfg.splits if not osp.exists(run.curves_file(split))]

    def plan(self) -> List[str]:
        """One line a run: what is there and what is missing."""
        return [
            f'{run.work_dir}: ' + ('done' if not self.missing(run) else f'to measure: {", ".join(self.missing(run))}')
            for run in self.runs.values()
        ]

    def run(self, jobs: int = 0) -> None:
        """Make what is missing.

        Args:
            jobs (int): Runs at a time. With GPUs each has its own. Defaults to 0: the number of GPUs, or 1.

        Raises:
            RuntimeError: If a run failed; the others are finished first.
        """
        gpus = torch.cuda.device_count()
        devices: Queue = Queue()
        jobs = jobs or max(gpus, 1)
        for job in range(jobs):
            devices.put(job % gpus if gpus else None)
        if not gpus:
            # jobs that share cores wait for one another's threads at every layer
            os.environ.setdefault('OMP_NUM_THREADS', str(max((os.cpu_count() or 1) // jobs, 1)))
        # runs that others start from come first
        for generation in (0, 1):
            todo = [
                run for run in self.runs.values()
                if self.missing(run) and (run.load_from is not None) == bool(generation)
            ]
            with ThreadPoolExecutor(devices.qsize()) as pool:
                failed = [message for message in pool.map(lambda run: self.finish(run, devices), todo) if message]
            if failed:
                raise RuntimeError('; '.join(failed))

    def finish(self, run: Run, devices: Queue) -> Optional[str]:
        """Train and measure one run; returns what went wrong."""
        device = devices.get()
        try:
            environment = dict(os.environ)
            if device is not None:
                environment['CUDA_VISIBLE_DEVICES'] = str(device)
            options = {'randomness.seed': run.seed, **run.options}
            if run.load_from is not None:
                options['load_from'] = run.load_from.checkpoint()
            for command, log in self.commands(run, options):
                os.makedirs(run.work_dir, exist_ok=True)
                print(f'{run.name}, seed {run.seed}: {log}', flush=True)
                with open(osp.join(run.work_dir, f'{log}.log'), 'w', encoding='utf-8') as file:
                    code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment).returncode
                if code != 0:
                    return f'{run.name} with seed {run.seed} failed, see {osp.join(run.work_dir, log)}.log'
        finally:
            devices.put(device)
        return None

    def commands(self, run: Run, options: Dict[str, object]):
        """Command lines of a run with the names of their logs; later ones need what earlier ones made."""

        def cfg_options(values: Dict[str, object]) -> List[str]:
            return ['--cfg-options', *(f'{key}={value}' for key, value in values.items())]

        if not osp.exists(osp.join(run.work_dir, 'trained')):
            train = [sys.executable, osp.join(self.tools_dir, 'train.py'), run.config, '--work-dir', run.work_dir,
                     '--resume', '--no-validate']
            yield train + cfg_options(options), 'train'
            with open(osp.join(run.work_dir, 'trained'), 'w', encoding='utf-8'):
                pass
        for split in self.missing(run):
            values = {
                **options, 'test_dataloader.dataset.split': self.cfg.splits[split],
                'test_cfg.out_dir': osp.join(run.work_dir, f'cams_{split}'),
                'test_evaluator.out_file': run.curves_file(split)
            }
            values.pop('load_from', None)
            test = [sys.executable, osp.join(self.tools_dir, 'test.py'), run.config, run.checkpoint(), '--work-dir',
                    run.work_dir]
            yield test + cfg_options(values), f'cam_{split}'

    def results(self) -> List[Dict]:
        """Rows of the table: for each split the mIoU of each seed, at the best threshold of ``choose_on``."""
        table = []
        for row in self.rows:
            values: Dict[str, List[float]] = {split: [] for split in self.cfg.splits}
            thresholds = []
            for seed in self.seeds:
                run = self.runs[row['run'], seed]
                curves = {}
                for split in self.cfg.splits:
                    with open(run.curves_file(split), encoding='utf-8') as file:
                        curves[split] = json.load(file)[row['cam']]
                best = int(np.argmax(curves[self.cfg.choose_on]['miou']))
                thresholds.append(curves[self.cfg.choose_on]['thresholds'][best])
                for split in self.cfg.splits:
                    values[split].append(curves[split]['miou'][best])
            table.append(dict(row, values=values, threshold=float(np.mean(thresholds))))
        return table

    def write_table(self) -> str:
        """Write ``table.md``, ``table.csv`` and ``table.png`` into the work folder.

        Returns:
            str: The Markdown.
        """
        rows, splits = self.results(), list(self.cfg.splits)
        paper = any(row.get('paper') is not None for row in rows)
        head = ['', *(f'{split} mIoU' for split in splits), 'threshold', 'seeds']
        head += ['paper (VOC 2012 train)'] if paper else []
        lines, cells = [head, ['---'] * len(head)], [head]
        for row in rows:
            numbers = [f'{np.mean(row["values"][split]):.1f} ± {spread(row["values"][split]):.1f}' for split in splits]
            line = [row['name'], *numbers, f'{row["threshold"]:.2f}', str(len(self.seeds))]
            if paper:
                line.append('' if row.get('paper') is None else f'{row["paper"]:.1f}')
            lines.append(line)
            cells.append(line)
        markdown = '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
        text = io.StringIO()
        csv.writer(text).writerows([
            ['row', *(f'{split} seed {seed}' for split in splits for seed in self.seeds), 'threshold'],
            *([row['name'], *(f'{value:.3f}' for split in splits for value in row['values'][split]), row['threshold']]
              for row in rows)
        ])
        for name, content in (('table.md', f'{self.cfg.title}\n\n{markdown}\n'), ('table.csv', text.getvalue())):
            with atomic_write(osp.join(self.work_dir, name), 'w', encoding='utf-8') as file:
                file.write(content)
        self.plot(rows)
        return f'{self.cfg.title}\n\n{markdown}'

    def plot(self, rows: List[Dict]) -> None:
        """Draw the table: one point a seed, a bar at the mean."""
        from matplotlib.figure import Figure
        figure = Figure(figsize=(8, 1.2 + 0.5 * len(rows)), layout='constrained')
        axes = figure.subplots(1, len(self.cfg.splits), sharey=True, squeeze=False)[0]
        for axis, split in zip(axes, self.cfg.splits):
            for place, row in enumerate(rows):
                values = row['values'][split]
                axis.plot(values, [place] * len(values), 'o', color='tab:blue', alpha=0.6)
                axis.plot([np.mean(values)], [place], '|', color='black', markersize=18)
            axis.set_title(f'{split} mIoU (%)')
            axis.grid(axis='x', alpha=0.3)
        axes[0].set_yticks(range(len(rows)), [row['name'] for row in rows])
        axes[0].invert_yaxis()
        with atomic_write(osp.join(self.work_dir, 'table.png')) as file:
            figure.savefig(file, format='png', dpi=150)


def spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds (with n - 1); 0 for one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.
