"""Draw the embedded data set into a folder, to look at it or to use it as any other data set in VOC layout.

    python tools/dataset_converters/embedded.py data/embedded --sheet embedded.png

It holds the same pixels on every machine. What is already there is not drawn again.
"""

import argparse
import os.path as osp
import sys

import numpy as np

from mmamr.datasets.embedded import draw_image, embedded_root, split_ids
from mmamr.datasets.embedded.folder import NUM_TRAIN, NUM_VAL, SEED
from mmamr.structures import voc_palette
from mmamr.utils import DatasetError, one_line_errors, write_png

TILE = 136


def contact_sheet(img_ids: list[str], seed: int, columns: int = 6) -> np.ndarray:
    """Pictures in rows, each above its mask in VOC's colours.

    Args:
        img_ids (list[str]): Ids of the pictures.
        seed (int): Seed of the drawings.
        columns (int): Pictures in a row. Defaults to 6.

    Returns:
        np.ndarray: uint8 of shape ``(H, W, 3)``.
    """
    columns = min(columns, len(img_ids))
    sheet = np.full((-(-len(img_ids) // columns) * 2 * TILE, columns * TILE, 3), 255, dtype=np.uint8)
    for number, img_id in enumerate(img_ids):
        scene = draw_image(img_id, seed)
        row, column = divmod(number, columns)
        for part, picture in enumerate((scene.image, voc_palette()[scene.mask])):
            height, width = picture.shape[:2]
            top = (2 * row + part) * TILE + (TILE - height) // 2
            left = column * TILE + (TILE - width) // 2
            sheet[top : top + height, left : left + width] = picture
    return sheet


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Draw the embedded data set into a folder')
    parser.add_argument('out_dir', help='folder of the data set; a new one, or one that this tool filled')
    parser.add_argument('--train', type=int, default=NUM_TRAIN, help='pictures to train with (%(default)s)')
    parser.add_argument('--val', type=int, default=NUM_VAL, help='pictures to validate on (%(default)s)')
    parser.add_argument('--seed', type=int, default=SEED, help='seed of the drawings (%(default)s)')
    parser.add_argument('--sheet', help='also write a PNG that shows pictures and masks')
    parser.add_argument('--sheet-images', type=int, default=24, help='how many pictures it shows (%(default)s)')
    args = parser.parse_args(argv)
    if args.train < 1 or args.val < 1 or args.sheet_images < 1 or not 0 <= args.seed < 2**32:
        parser.error('--train, --val and --sheet-images are at least 1, --seed is from 0 to 2**32 - 1')
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        root = embedded_root(args.out_dir, args.train, args.val, args.seed)
    except DatasetError as error:
        print(error)
        return 1
    print(f'{args.train} pictures to train with and {args.val} to validate on in {osp.abspath(root)}')
    if args.sheet:
        write_png(args.sheet, contact_sheet(split_ids(args.train, args.val)['train'][: args.sheet_images], args.seed))
        print(f'{args.sheet} shows some of them')
    return 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
