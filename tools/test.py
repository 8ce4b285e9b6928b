"""Run the test loop of a config: make CAMs or pseudo labels, or measure a model."""
import argparse
import os
import os.path as osp

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmamr.compat import setup_cpu_distributed
from mmamr.engine.test_time import apply_test_time


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file; stages without a model need none')
    parser.add_argument('--work-dir', help='folder for logs and results; ./work_dirs/<config name> if not given')
    parser.add_argument('--out-dir', help='folder of the files that the loop writes, e.g. of the CAMs')
    parser.add_argument('--amp', action='store_true', help='half precision: float16 on a GPU, bfloat16 on a CPU')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help="override settings of the config, e.g. --cfg-options test_cfg.scales='[0.75,1.25]' "
        'test_dataloader.batch_sampler.batch_size=8')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    # torch.distributed.launch passes the first of these names, torchrun none
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Put the command line into the config."""
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', osp.splitext(osp.basename(args.config))[0])
    if args.checkpoint is not None:
        cfg.load_from = args.checkpoint
    if args.out_dir is not None:
        cfg.test_cfg.out_dir = args.out_dir
    if args.amp:
        cfg.test_cfg.precision = 'float16' if torch.cuda.is_available() else 'bfloat16'
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    apply_test_time(cfg)
    return cfg


def main() -> None:
    args = parse_args()
    cfg = merge_args(Config.fromfile(args.config), args)
    setup_cpu_distributed(cfg, args.launcher)
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    runner.test()


if __name__ == '__main__':
    main()
