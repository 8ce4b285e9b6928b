"""Draw how pseudo labels come out of CAMs: image, CAM, class boundaries, displacements, walk, label, ground truth.

python tools/analysis_tools/vis_affinity.py configs/irnet/<config>.py CHECKPOINT --cam-dir work_dirs/<run>/cams
"""

import argparse
import os.path as osp

from mmamr.apis import affinity_rows, choose_items, init_dataset, init_model, load_config, save_rows
from mmamr.utils import add_config_arguments, default_work_dir, one_line_errors

# What a config says about the walk.
OPTIONS = ('xi', 'cam_power', 'powers')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of an IRNet or AffinityNet')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--cam-dir', help="folder of the CAM files (the config's test_cfg.cam_dir)")
    parser.add_argument('--threshold', type=float, default=0.25, help='of the labels (%(default)s)')
    parser.add_argument('--power', type=float, help='background power of the labels, in the place of the threshold')
    parser.add_argument('--images', nargs='+', metavar='ID', help='ids of the images (random ones)')
    parser.add_argument('--num', type=int, default=8, help='number of random images (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the random choice (%(default)s)')
    parser.add_argument('--device', default='cpu', help='where the model runs (%(default)s)')
    parser.add_argument('--width', type=int, default=256, help='of a column in pixels (%(default)s)')
    parser.add_argument(
        '--out',
        help='.png or .jpg for one sheet, else a folder for one picture an image (affinity.png in the work folder)',
    )
    add_config_arguments(
        parser,
        'e.g. test_cfg.cam_power=1.5',
    )
    args = parser.parse_args(argv)
    if args.num < 1 or args.width < 16:
        parser.error('--num must be 1 at least and --width 16')
    args.out = args.out or osp.join(default_work_dir(args.config), 'affinity.png')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        cfg = load_config(args.config, args.cfg_options)
        stage = cfg.get('test_cfg') or {}
        cam_dir = args.cam_dir or stage.get('cam_dir')
        if cam_dir is None:
            raise SystemExit(f'{args.config} names no CAMs: give --cam-dir')
        dataset = init_dataset(cfg)
        items = choose_items(dataset, args.images, args.num, args.seed)
        model = init_model(cfg, args.checkpoint, args.device)
        walk = {name: stage[name] for name in OPTIONS if name in stage}
        rows = affinity_rows(model, dataset, cam_dir, items, threshold=args.threshold, power=args.power, **walk)
    print('\n'.join(save_rows(rows, args.out, args.width)))


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
