"""Draw histograms of the activations before and after an AMM on real images (Fig. 3).

python tools/analysis_tools/vis_activations.py configs/amr/<config>.py CHECKPOINT --out activations.png
"""

import argparse
import os.path as osp

from mmamr.apis import activations_of, choose_items, init_dataset, init_model, load_config
from mmamr.fileio import read_rgb
from mmamr.utils import add_config_arguments, default_work_dir, one_line_errors
from mmamr.visualization import draw_histograms, save_picture


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a classifier with AMM, whose test_dataloader names the images')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--module', metavar='NAME', help='full name of the AMM (the last; a wrong name lists all)')
    parser.add_argument('--images', nargs='+', metavar='ID', help='ids of the images (random ones)')
    parser.add_argument('--num', type=int, default=16, help='number of random images (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the random choice (%(default)s)')
    parser.add_argument('--device', default='cpu', help='where the model runs (%(default)s)')
    parser.add_argument('--width', type=int, default=1000, help='of the picture in pixels (%(default)s)')
    parser.add_argument('--out', help='.png or .jpg (activations.png in the work folder of the config)')
    add_config_arguments(
        parser,
        'e.g. test_dataloader.dataset.split=ImageSets/Segmentation/val.txt',
    )
    args = parser.parse_args(argv)
    if args.num < 1 or args.width < 200:
        parser.error('--num must be 1 at least and --width 200')
    args.out = args.out or osp.join(default_work_dir(args.config), 'activations.png')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        cfg = load_config(args.config, args.cfg_options)
        items = choose_items(init_dataset(cfg), args.images, args.num, args.seed)
        model = init_model(cfg, args.checkpoint, args.device)
        images = [read_rgb(item['img_path'], max_long_side=item['max_long_side']) for item in items]
        name, values = activations_of(model, images, args.module)
        save_picture(args.out, draw_histograms(values, f'{name}, {len(items)} images', args.width))
    print(args.out)


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
