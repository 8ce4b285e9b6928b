"""Run the test loop of a config: make CAMs or pseudo labels, or measure a model."""

import argparse
import inspect
import os
import os.path as osp
from typing import Any

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
import torch
from mmengine.config import Config
from mmengine.dist import is_main_process

from mmamr.compat import keep_freed_memory, leave_distributed, setup_cpu_distributed
from mmamr.datasets.data_root import apply_options
from mmamr.engine import ImageFilesLoop, apply_test_time, build_test_runner, draw_loop
from mmamr.evaluation import write_metrics
from mmamr.fileio import ChangedSettingsError
from mmamr.registry import LOOPS
from mmamr.utils import InputError, add_config_arguments, confirm, default_work_dir, one_line_errors
from mmamr.visualization import require_screen


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file; stages without a model need none')
    parser.add_argument('--work-dir', help='folder for logs and results; ./work_dirs/<config name> if not given')
    parser.add_argument(
        '--out', '--out-dir', metavar='DIR', help='folder of the files that are written: CAMs, labels, predicted masks'
    )
    parser.add_argument(
        '--out-item',
        choices=['pred', 'metrics'],
        help='what to write to --out: these files (pred, if not given), or only metrics.json (metrics)',
    )
    parser.add_argument(
        '--show-dir', metavar='DIR', help='folder for pictures: eight of the CAMs or labels, or all predicted masks'
    )
    parser.add_argument('--show', action='store_true', help='show these pictures in a window')
    parser.add_argument(
        '--wait-time', type=float, default=2, metavar='SECONDS', help='how long each is shown; 0 is until a key (2)'
    )
    parser.add_argument(
        '--interval', type=int, metavar='N', help='of a large data set, draw every N-th image, each for itself'
    )
    parser.add_argument('--tta', action='store_true', help='segmentation: average over scales and mirror images')
    parser.add_argument('--amp', action='store_true', help='half precision: float16 on a GPU, bfloat16 on a CPU')
    parser.add_argument(
        '--redo',
        action='store_true',
        help='make files that are there, but were made with other settings, again (else you are asked)',
    )
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of batches for the GPU')
    add_config_arguments(
        parser,
        "e.g. --cfg-options test_cfg.scales='[0.75,1.25]' test_dataloader.batch_sampler.batch_size=8",
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    # torch.distributed.launch passes the first of these names, torchrun none
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.out_item is not None and args.out is None:
        parser.error('--out-item needs --out, the folder to write to')
    if args.wait_time < 0 or (args.interval is not None and args.interval < 1):
        parser.error('--wait-time must not be negative, and --interval must be 1 at least')
    if args.interval is not None and not (args.show or args.show_dir):
        parser.error('--interval is for the pictures of --show and --show-dir')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """Put the command line into the config."""
    if 'stages' in cfg:
        raise InputError(f'{args.config} is a pipeline: tools/train.py runs all its stages, tests too')
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = default_work_dir(args.config)
    if args.checkpoint is not None:
        cfg.load_from = args.checkpoint
    elif needs_checkpoint(cfg) and 'load_from' not in (args.cfg_options or {}):
        raise InputError(f'{args.config} has a model, so it needs a checkpoint: tools/test.py {args.config} CHECKPOINT')
    if args.out is not None and args.out_item != 'metrics':
        if is_segmentation(cfg):
            evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
            evaluators[0].output_dir = args.out
        else:
            set_loop_option(cfg, '--out', out_dir=args.out)
    if args.tta:
        if 'test_time' not in cfg:
            raise InputError('--tta is for segmentation configs, which have test_time; CAMLoop has scales and flip')
        cfg.test_time.update(ms=True, flip=True)
    if args.show or args.show_dir is not None:
        merge_show_args(cfg, args)
    if args.no_pin_memory and cfg.get('test_dataloader'):
        cfg.test_dataloader.pin_memory = False
    if args.redo:
        set_loop_option(cfg, '--redo', redo=True)
    if args.amp:
        precision = 'float16' if torch.cuda.is_available() else 'bfloat16'
        set_loop_option(cfg, '--amp', precision=precision, fp16=True)
    apply_options(cfg, args.cfg_options or {}, cfg.work_dir)
    apply_test_time(cfg)
    return cfg


def is_segmentation(cfg: Config) -> bool:
    """Whether the config tests a segmentation model of mmseg."""
    return cfg.get('default_scope') == 'mmseg'


def merge_show_args(cfg: Config, args: argparse.Namespace) -> None:
    """Let a segmentation config draw what it predicts; what the other loops make is drawn after them.

    Raises:
        InputError: If nothing that the config makes can be drawn as it is asked for.
    """
    if args.show:
        require_screen()
    if not is_segmentation(cfg):
        loop = test_loop(cfg)
        if loop is None or not issubclass(loop, ImageFilesLoop):
            raise InputError(
                f'--show and --show-dir mean nothing to this config: its test loop is {loop and loop.__name__}'
            )
        return
    cfg.setdefault('default_hooks', {}).visualization = dict(
        type='mmamr.PredictionPictureHook',
        out_dir=args.show_dir,
        show=args.show,
        wait_time=args.wait_time,
        interval=args.interval or 1,
    )


def needs_checkpoint(cfg: Config) -> bool:
    """Whether the config has a model that somebody must have trained."""
    return 'model' in cfg and cfg.model.type.split('.')[-1] != 'NoModel'


def test_loop(cfg: Config) -> type | None:
    """The class of the test loop of a config; None where it has none."""
    test_cfg = cfg.get('test_cfg')
    return None if test_cfg is None else LOOPS.get(test_cfg.get('type', 'TestLoop'))


def set_loop_option(cfg: Config, flag: str, **options: Any) -> None:
    """Set those of these arguments that the test loop of a config has.

    Raises:
        InputError: If it has none of them.
    """
    loop = test_loop(cfg)
    # the loops that make files hand some arguments on to their parents
    parents = loop.__mro__ if loop is not None else ()
    accepted = {name for cls in parents for name in inspect.signature(cls.__init__).parameters}
    known = [name for name in options if name in accepted]
    if not known:
        raise InputError(f'{flag} means nothing to this config: its test loop is {loop and loop.__name__}')
    cfg.test_cfg.update({name: options[name] for name in known})


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    keep_freed_memory()
    with one_line_errors():
        cfg = merge_args(Config.fromfile(args.config), args)
        setup_cpu_distributed(cfg, args.launcher)
        runner = build_test_runner(cfg)
        try:
            metrics = runner.test()
        except ChangedSettingsError as error:
            # one process may ask; several would not agree on the answer
            if args.launcher != 'none' or not confirm(str(error).replace('pass --redo to make', 'make')):
                raise
            runner.test_loop.redo = True
            metrics = runner.test()
        first = is_main_process()
        leave_distributed()
        if not first:
            return
        if args.out_item == 'metrics':
            if not metrics:
                raise InputError(f'--out-item metrics: nothing was measured; {args.config} has no masks or no metrics')
            write_metrics(osp.join(args.out, 'metrics.json'), {name: float(value) for name, value in metrics.items()})
        if (args.show or args.show_dir is not None) and not is_segmentation(cfg):
            files = draw_loop(runner, args.show_dir, args.show, args.wait_time, args.interval)
            print(''.join(f'{file}\n' for file in files), end='')


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
