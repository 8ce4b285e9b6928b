import os
import os.path as osp
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import Queue

import torch
from mmengine.config import Config

from mmamr.utils import InputError

from .runs import Run, build_run, environment
from .table import Table, collect


class Experiments:
    """The runs and the table of one experiment config.

    The config has ``title``; ``runs`` (name to ``config``, relative to the experiment config, with optional
    ``options``); and ``rows``, each with ``name``, ``run`` and optionally ``paper``, the paper's number. A run may name
    another one: to train on from its checkpoint (``load_from``; an option whose value is ``'{checkpoint}'`` gets its
    path, too), to make CAMs with it in another way (``checkpoint_of``), or to average the CAMs of two seeds of it, its
    own and the next (``ensemble_of``). A run is a classifier or a pipeline:

    - of a classifier, CAMs are made on the config's ``splits`` (name to list file); its rows name a ``cam`` of
      :class:`~mmamr.evaluation.CAMMetric`, whose best threshold on the split ``choose_on`` is used on all of them;
    - of a pipeline, all stages are run, or those that the run's ``stages`` names; its rows have ``metrics``: for each
      split a stage and its metric, e.g. ``{'train': ('pseudo_label', 'pseudo_label/mIoU')}``.

    Args:
        cfg (mmengine.Config): The experiment config.
        config_dir (str): Folder that the configs of the runs are relative to.
        work_dir (str): Folder for runs and table.
        seeds (Sequence[int]): One run a seed. Defaults to ``(0, 1, 2)``.
        runs (Sequence[str], optional): Only these runs. Defaults to None: all.

    Raises:
        InputError: If the config names a run that it does not have, or says of a run what means nothing; if there are
            too few seeds to average; if the path of the folder cannot be passed by ``--cfg-options``.
    """

    def __init__(
        self,
        cfg: Config,
        config_dir: str,
        work_dir: str,
        seeds: Sequence[int] = (0, 1, 2),
        runs: Sequence[str] | None = None,
    ) -> None:
        self.cfg = cfg
        self.config_dir = config_dir
        self.work_dir = work_dir
        self.seeds = list(dict.fromkeys(seeds))
        names = list(cfg.runs) if runs is None else list(runs)
        parents = (parent_of(settings) for settings in cfg.runs.values())
        unknown = {*names, *(row['run'] for row in cfg.rows), *filter(None, parents)} - set(cfg.runs)
        if unknown:
            raise InputError(f'the experiment has no runs {sorted(unknown)}; it has {sorted(cfg.runs)}')
        self.rows = [row for row in cfg.rows if row['run'] in names]
        self.runs: dict[tuple[str, int], Run] = {}
        for seed in self.seeds:
            for name in names:
                self.add(name, seed)

    def add(self, name: str, seed: int) -> Run:
        """The run of a name and a seed, after those that it starts from."""
        if (name, seed) not in self.runs:
            settings = self.cfg.runs[name]
            seeds = [seed]
            if settings.get('ensemble_of'):
                if len(self.seeds) < 3:
                    raise InputError(
                        f'{name} averages pairs of seeds, of which {len(self.seeds)} seeds have not one '
                        'each: name three or more with --seeds, or leave it out with --runs'
                    )
                seeds.append(self.seeds[(self.seeds.index(seed) + 1) % len(self.seeds)])
            parent = parent_of(settings)
            parents = [self.add(parent, one) for one in seeds] if parent else []
            self.runs[name, seed] = build_run(name, seed, settings, self.cfg, self.config_dir, self.work_dir, parents)
        return self.runs[name, seed]

    def plan(self) -> list[str]:
        """One line a run: what is there and what is missing."""
        return [
            f'{run.work_dir}: ' + (f'to do: {", ".join(run.missing())}' if run.missing() else 'done')
            for run in self.runs.values()
        ]

    def run(self, jobs: int = 0) -> None:
        """Make what is missing.

        Args:
            jobs (int): Runs at a time. With GPUs each has its own. Defaults to 0: the number of GPUs, or 1.

        Raises:
            InputError: If a run failed; the others are finished first. If a classifier's folder was made with other
                settings.
        """
        for run in self.runs.values():
            os.makedirs(run.work_dir, exist_ok=True)
            run.note_settings()
        gpus = torch.cuda.device_count()
        devices: Queue = Queue()
        jobs = jobs or max(gpus, 1)
        for job in range(jobs):
            devices.put(job % gpus if gpus else None)
        waiting = [run for run in self.runs.values() if run.missing()]
        while waiting:
            # runs that others start from come first
            ready = [run for run in waiting if not any(parent in waiting for parent in run.parents)]
            with ThreadPoolExecutor(jobs) as pool:
                messages = pool.map(lambda run: self.finish(run, devices, jobs), ready)
                failed = [message for message in messages if message]
            if failed:
                raise InputError('; '.join(failed))
            waiting = [run for run in waiting if run not in ready]

    def finish(self, run: Run, devices: Queue, jobs: int) -> str | None:
        """Run the commands of a run on a free device, beside ``jobs - 1`` others; returns what went wrong."""
        device = devices.get()
        try:
            with closing(run.lock()):
                for job in run.jobs():
                    print(f'{run.name}, seed {run.seed}: {job.name}', flush=True)
                    log = osp.join(run.work_dir, f'{job.name}.log')
                    with open(log, 'w', encoding='utf-8') as file:
                        code = subprocess.run(
                            job.command(), stdout=file, stderr=subprocess.STDOUT, env=environment(device, jobs)
                        ).returncode
                    if code != 0:
                        return f'{run.name} with seed {run.seed} failed, see {log}'
        except InputError as error:
            return str(error)
        finally:
            devices.put(device)
        return None

    def table(self) -> Table:
        """What came out."""
        measured = {row['name']: [self.runs[row['run'], seed].measure(row) for seed in self.seeds] for row in self.rows}
        return Table(self.cfg.title, self.seeds, collect(self.rows, measured))


def parent_of(settings: Mapping) -> str | None:
    """The run that a run names."""
    return settings.get('load_from') or settings.get('checkpoint_of') or settings.get('ensemble_of')
