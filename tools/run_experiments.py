"""Train, run and measure everything that a table needs, over several seeds, and write the table."""

import argparse
import os
import os.path as osp

from mmengine.config import Config

from mmamr.experiments import Experiments
from mmamr.utils import InputError, one_line_errors

DATA_VARIABLE = 'MMAMR_DATA'
"""The environment variable by which a table's base is named."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='one of configs/experiments/')
    parser.add_argument(
        '--data', metavar='NAME', help='data set: a file below configs/experiments/_base_/; default: voc-animals'
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='one run a seed; default: 0 1 2')
    parser.add_argument(
        '--runs', nargs='+', help='only these runs, e.g. plain amr, with a table of their own; default: all'
    )
    parser.add_argument(
        '--work-dir', help='folder for runs and table; ./work_dirs/experiments/<config name>_<data> if not given'
    )
    parser.add_argument(
        '--jobs', type=int, default=0, help='runs at a time, one GPU each; default: the number of GPUs, or 1'
    )
    parser.add_argument('--dry-run', action='store_true', help='say what would be run, and what is there')
    args = parser.parse_args(argv)
    if args.jobs < 0:
        parser.error('--jobs must not be negative')
    return args


def table_name(config: str, cfg: Config) -> str:
    """Name of a table: that of its config and, where the config does not say it, of its data set."""
    name, data = osp.splitext(osp.basename(config))[0], cfg.get('data')
    return name if data is None or name.endswith(f'_{data}') else f'{name}_{data}'


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    if args.data is not None:
        os.environ[DATA_VARIABLE] = args.data
    with one_line_errors():
        cfg = Config.fromfile(args.config)
        if args.data is not None and cfg.get('data') != args.data:
            raise InputError(f'{args.config} is for {cfg.get("data", "one data set")} only, not for {args.data}')
        name = table_name(args.config, cfg)
        work_dir = args.work_dir or osp.join('work_dirs', 'experiments', name)
        experiments = Experiments(
            cfg,
            config_dir=osp.dirname(osp.abspath(args.config)),
            work_dir=work_dir,
            seeds=args.seeds,
            runs=args.runs,
        )
        if args.dry_run:
            print('\n'.join(experiments.plan()))
            return
        experiments.run(jobs=args.jobs)
        table = experiments.table()
        if not table.rows:
            print(f'{", ".join(args.runs)}: done; no row of the table is of these runs alone')
            return
        # tables of one work dir, and parts of a table, do not take one another's place
        file = '_'.join([name, *(args.runs or ())])
        table.write(work_dir, file)
    print(f'{table.title}\n\n{table.markdown()}\n{os.path.relpath(work_dir)}: {file}.md, {file}.csv, {file}.png')


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
