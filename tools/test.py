"""Run the test loop of a config: make CAMs or pseudo labels, or measure a model."""
import argparse
import inspect
import os
import os.path as osp
from typing import Any, List, Optional

import torch
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmamr.compat import keep_freed_memory, setup_cpu_distributed
from mmamr.engine.test_time import apply_test_time
from mmamr.registry import LOOPS
from mmamr.utils import InputError, one_line_errors


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file; stages without a model need none')
    parser.add_argument('--work-dir', help='folder for logs and results; ./work_dirs/<config name> if not given')
    parser.add_argument(
        '--out-dir', '--out', metavar='DIR', help='folder of the files that are written: CAMs, labels, predicted masks')
    parser.add_argument(
        '--show-dir', metavar='DIR', help='folder for pictures: eight of the CAMs, or all predicted masks')
    parser.add_argument('--tta', action='store_true', help='segmentation: average over scales and mirror images')
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
    args = parser.parse_args(argv)
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
    elif needs_checkpoint(cfg) and 'load_from' not in (args.cfg_options or {}):
        raise InputError(f'{args.config} has a model, so it needs a checkpoint: tools/test.py {args.config} CHECKPOINT')
    if args.out_dir is not None:
        if is_segmentation(cfg):
            cfg.test_evaluator.output_dir = args.out_dir
        else:
            set_loop_option(cfg, '--out-dir', out_dir=args.out_dir)
    if args.tta:
        if 'test_time' not in cfg:
            raise InputError('--tta is for segmentation configs, which have test_time; CAMLoop has scales and flip')
        cfg.test_time.update(ms=True, flip=True)
    if args.show_dir is not None:
        show_in(cfg, args.show_dir)
    if args.amp:
        precision = 'float16' if torch.cuda.is_available() else 'bfloat16'
        set_loop_option(cfg, '--amp', precision=precision, fp16=True)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    apply_test_time(cfg)
    return cfg


def is_segmentation(cfg: Config) -> bool:
    """Whether the config tests a segmentation model of mmseg."""
    return cfg.get('default_scope') == 'mmseg'


def show_in(cfg: Config, folder: str) -> None:
    """Let a segmentation config draw what it predicts; CAMs are drawn after the loop.

    Raises:
        InputError: If the config has nothing that is drawn here.
    """
    if is_segmentation(cfg):
        cfg.default_hooks.visualization = dict(type='mmseg.SegVisualizationHook', draw=True)
        cfg.visualizer.save_dir = folder
    elif cfg.get('test_cfg', {}).get('type') != 'CAMLoop':
        raise InputError('--show-dir is for CAMs and segmentation; tools/analysis_tools/vis_affinity.py draws the rest')


def draw_cams(runner: Runner, folder: str) -> None:
    """Draw eight of the CAMs that a loop made."""
    from mmamr.apis import cam_rows, choose_items, save_rows
    loop = runner.test_loop
    rows = cam_rows(loop.dataset, loop.out_dir, choose_items(loop.dataset, num=8))
    print('\n'.join(save_rows(rows, osp.join(folder, 'cams.png'))))


def needs_checkpoint(cfg: Config) -> bool:
    """Whether the config has a model that somebody must have trained."""
    return 'model' in cfg and cfg.model.type.split('.')[-1] != 'NoModel'


def set_loop_option(cfg: Config, flag: str, **options: Any) -> None:
    """Set those of these arguments that the test loop of a config has.

    Raises:
        InputError: If it has none of them.
    """
    test_cfg = cfg.get('test_cfg')
    loop = None if test_cfg is None else LOOPS.get(test_cfg.get('type', 'TestLoop'))
    known = [name for name in options if loop is not None and name in inspect.signature(loop).parameters]
    if not known:
        raise InputError(f'{flag} means nothing to this config: its test loop is {loop and loop.__name__}')
    test_cfg.update({name: options[name] for name in known})


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    keep_freed_memory()
    with one_line_errors():
        cfg = merge_args(Config.fromfile(args.config), args)
        setup_cpu_distributed(cfg, args.launcher)
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        runner.test()
        if args.show_dir is not None and not is_segmentation(cfg) and is_main_process():
            draw_cams(runner, args.show_dir)


if __name__ == '__main__':
    main()
