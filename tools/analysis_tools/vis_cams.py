"""Draw CAM files: image, spotlight, compensation and weighted CAM, ground truth side by side (Fig. 1 and 4).

python tools/analysis_tools/vis_cams.py configs/amr/<config>.py --images 2007_000032 2007_000039 --out cams.png
"""

import argparse
import os.path as osp

from mmamr.apis import cam_rows, choose_items, init_dataset, save_rows
from mmamr.utils import add_config_arguments, default_work_dir, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config whose test_dataloader names the images')
    parser.add_argument('--cam-dir', help='folder of the CAM files (cams in the work folder of the config)')
    parser.add_argument('--walk-dir', help='folder of the scores after the random walk, to be shown beside them')
    parser.add_argument('--images', nargs='+', metavar='ID', help='ids of the images (random ones)')
    parser.add_argument('--num', type=int, default=8, help='number of random images (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the random choice (%(default)s)')
    parser.add_argument('--xi', type=float, default=0.5, help='ξ of the weighted CAM (%(default)s)')
    parser.add_argument('--per-class', action='store_true', help='a row for each class of an image')
    parser.add_argument('--width', type=int, default=256, help='of a column in pixels (%(default)s)')
    parser.add_argument(
        '--out', help='.png or .jpg for one sheet, else a folder for one picture an image (cams.png in the work folder)'
    )
    add_config_arguments(
        parser,
        'e.g. test_dataloader.dataset.split=ImageSets/Segmentation/val.txt',
    )
    args = parser.parse_args(argv)
    if not 0 <= args.xi <= 1:
        parser.error(f'--xi {args.xi}: ξ lies in [0, 1]')
    if args.num < 1 or args.width < 16:
        parser.error('--num must be 1 at least and --width 16')
    work_dir = default_work_dir(args.config)
    args.cam_dir = args.cam_dir or osp.join(work_dir, 'cams')
    args.out = args.out or osp.join(work_dir, 'cams.png')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        dataset = init_dataset(args.config, args.cfg_options)
        items = choose_items(dataset, args.images, args.num, args.seed)
        rows = cam_rows(dataset, args.cam_dir, items, args.walk_dir, args.xi, args.per_class)
    print('\n'.join(save_rows(rows, args.out, args.width)))


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
