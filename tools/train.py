"""Train a model, or run a whole pipeline, from a config."""

import argparse
import os
import sys

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
import torch
from mmengine.config import Config

from mmamr.compat import keep_freed_memory, leave_distributed, setup_cpu_distributed
from mmamr.datasets.data_root import apply_options
from mmamr.engine import resume_from_latest, train
from mmamr.pipeline import WSSSRunner
from mmamr.registry import RUNNERS
from mmamr.utils import InputError, add_config_arguments, confirm, default_work_dir, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; ./work_dirs/<config name> if not given')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from a checkpoint, or from the latest one in the work dir if none is named',
    )
    pipeline = parser.add_argument_group('pipelines', 'for configs with stages')
    pipeline.add_argument('--stages', nargs='+', metavar='NAME', help='run these stages only')
    pipeline.add_argument('--from-stage', metavar='NAME', help='run this stage and those after it')
    pipeline.add_argument(
        '--redo',
        action='store_true',
        help='make again what is done, but with other settings or of other inputs (else you are asked)',
    )
    pipeline.add_argument(
        '--dry-run',
        action='store_true',
        help='run no stage, print what each reads and writes, what is there and what is missing; returns 1 if anything '
        'is. Only a folder of photos is laid out, if --data-root names one',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of batches for the GPU')
    parser.add_argument(
        '--no-persistent-workers', action='store_true', help='start the workers of the data loaders anew each epoch'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate with the total batch size, from the config's auto_scale_lr.base_batch_size",
    )
    add_config_arguments(
        parser,
        'e.g. --cfg-options train_dataloader.batch_size=8 '
        "model.loss_cps.loss_weight=0.2; lists as key='[a,b]'. Of a pipeline: stages.cam.options.test_cfg.flip=False "
        'for one stage, options.randomness.seed=1 for all',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    # torch.distributed.launch passes the first of these names, torchrun none
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Put the command line into the config."""
    if 'stages' in cfg:
        return merge_pipeline_args(cfg, args)
    if args.stages or args.from_stage or args.dry_run or args.redo:
        raise InputError(
            f'{args.config} is no pipeline: it has no stages for --stages, --from-stage, --redo or --dry-run'
        )
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = default_work_dir(args.config)
    if args.amp:
        if torch.cuda.is_available():
            cfg.optim_wrapper.type = 'AmpOptimWrapper'
            cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
        else:
            cfg.optim_wrapper.type = 'mmamr.CPUAmpOptimWrapper'
    for name in ('train_dataloader', 'val_dataloader'):
        if args.no_pin_memory and cfg.get(name) is not None:
            cfg[name].pin_memory = False
        if args.no_persistent_workers and cfg.get(name) is not None:
            cfg[name].persistent_workers = False
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise SystemExit(f'{args.config} has no auto_scale_lr.base_batch_size, which --auto-scale-lr needs')
        cfg.auto_scale_lr.enable = True
    apply_options(cfg, args.cfg_options or {}, cfg.work_dir)
    if args.resume == 'auto':
        resume_from_latest(cfg)
    elif args.resume is not None:
        cfg.resume, cfg.load_from = True, args.resume
    return cfg


def merge_pipeline_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Put the command line into the config of a pipeline."""
    for name in ('amp', 'no_validate', 'no_pin_memory', 'no_persistent_workers', 'auto_scale_lr'):
        if getattr(args, name):
            option = name.replace('_', '-')
            raise InputError(
                f'--{option} is for a single training; in a pipeline set it in the config of a stage, or '
                'by --cfg-options stages.NAME.options.KEY=VALUE'
            )
    if args.resume not in (None, 'auto'):
        raise InputError('--resume takes no checkpoint for a pipeline: each training finds its own')
    cfg.setdefault('_scope_', 'mmamr')  # where runner_type is looked up
    cfg.launcher = args.launcher
    cfg.resume = args.resume is not None
    cfg.only_stages, cfg.from_stage, cfg.redo = args.stages, args.from_stage, args.redo
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(args.config)
    apply_options(cfg, args.cfg_options or {}, cfg.work_dir)
    return cfg


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 1 after a dry run that found something missing."""
    args = parse_args(argv)
    keep_freed_memory()
    with one_line_errors():
        cfg = merge_args(Config.fromfile(args.config), args)
        if args.dry_run:
            pipeline = WSSSRunner.from_cfg(cfg)
            print(pipeline.describe_plan())
            return int(any(decision.fails for decision in pipeline.plan()))
        setup_cpu_distributed(cfg, args.launcher)
        if 'stages' in cfg:
            pipeline = RUNNERS.build(cfg)
            pipeline.confirm = confirm
            pipeline.train()
        else:
            train(cfg)
        leave_distributed()
    return 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
