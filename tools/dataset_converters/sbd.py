"""Add SBD's masks to VOC 2012: ``SegmentationClassAug`` and the list of the 10,582 images to train with.

    python tools/dataset_converters/sbd.py data/VOCdevkit/VOC2012 data/benchmark_RELEASE

Every image of VOC's train and val lists and of SBD gets a mask: VOC's own where VOC has one, else SBD's
``dataset/cls/<id>.mat``. The list ``ImageSets/Segmentation/train_aug.txt`` is VOC's train and all of SBD without VOC's
val. Masks that are there and whole are not made again.
"""

import argparse
import os
import os.path as osp
import sys
from functools import partial

import numpy as np
from mmengine.utils import track_parallel_progress
from scipy.io import loadmat

from mmamr.datasets.splits import read_ids
from mmamr.fileio import read_size, read_stored_mask
from mmamr.structures import VOC_CLASSES, voc_palette
from mmamr.utils import DatasetError, atomic_write, one_line_errors, write_png

NUM_TRAIN_AUG = 10582


def read_sbd_mask(path: str) -> np.ndarray:
    """Class indices ``(H, W)``, uint8, of an SBD annotation.

    Raises:
        DatasetError: If the file is missing, broken, or holds other classes than VOC's.
    """
    try:
        mask = loadmat(path)['GTcls']['Segmentation'][0, 0]
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such annotation; unpack the whole of SBD') from None
    except Exception:  # SciPy raises what it happens to meet in a broken file
        raise DatasetError(f'{path}: broken annotation; unpack SBD again') from None
    if mask.ndim != 2 or mask.max(initial=0) > len(VOC_CLASSES):
        raise DatasetError(f'{path}: not a mask of the {len(VOC_CLASSES)} classes of VOC; unpack SBD again')
    return mask.astype(np.uint8)


def convert(img_id: str, voc_root: str, cls_dir: str, out_dir: str) -> str:
    """Make the mask of one image unless it is there.

    Returns:
        str: What is wrong, in one line, or '' if nothing is.
    """
    out_path = osp.join(out_dir, f'{img_id}.png')
    try:
        read_stored_mask(out_path)
        return ''
    except DatasetError:
        pass  # missing or broken: made below
    voc_path = osp.join(voc_root, 'SegmentationClass', f'{img_id}.png')
    img_path = osp.join(voc_root, 'JPEGImages', f'{img_id}.jpg')
    try:
        own = osp.exists(voc_path)
        mask = read_stored_mask(voc_path) if own else read_sbd_mask(osp.join(cls_dir, f'{img_id}.mat'))
        size = read_size(img_path)
    except DatasetError as error:
        return str(error)
    if mask.shape != size:
        return f'{img_path} is {size[1]}x{size[0]}, but its mask {mask.shape[1]}x{mask.shape[0]}; copy both again'
    write_png(out_path, mask, voc_palette())
    return ''


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Add SBD's masks to VOC 2012")
    parser.add_argument('voc_root', help='folder of VOC 2012, e.g. data/VOCdevkit/VOC2012')
    parser.add_argument('sbd_root', help='folder of SBD, e.g. data/benchmark_RELEASE; it holds dataset/cls')
    parser.add_argument('-o', '--out-dir', help='folder of the masks (<voc_root>/SegmentationClassAug)')
    parser.add_argument('--nproc', type=int, default=min(8, os.cpu_count() or 1), help='processes (%(default)s)')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    out_dir = args.out_dir or osp.join(args.voc_root, 'SegmentationClassAug')
    lists = osp.join(args.voc_root, 'ImageSets', 'Segmentation')
    sbd = osp.join(args.sbd_root, 'dataset')
    try:
        train, val = (set(read_ids(osp.join(lists, f'{name}.txt'))) for name in ('train', 'val'))
        extra = set(read_ids(osp.join(sbd, 'train.txt'))) | set(read_ids(osp.join(sbd, 'val.txt')))
    except DatasetError as error:
        print(error)
        return 1

    task = partial(convert, voc_root=args.voc_root, cls_dir=osp.join(sbd, 'cls'), out_dir=out_dir)
    answers = track_parallel_progress(task, sorted(train | val | extra), args.nproc, chunksize=8, file=sys.stderr)
    errors = [answer for answer in answers if answer]
    if errors:
        print('\n'.join(errors))
        print(f'{len(errors)} masks could not be made, and {osp.join(lists, "train_aug.txt")} was not written')
        return 1

    train_aug = sorted((train | extra) - val)
    with atomic_write(osp.join(lists, 'train_aug.txt'), 'w') as file:
        file.writelines(f'{img_id}\n' for img_id in train_aug)
    print(f'{len(answers)} masks in {out_dir}, {len(train_aug)} images in {osp.join(lists, "train_aug.txt")}')
    if len(train_aug) != NUM_TRAIN_AUG:
        print(f'The whole of VOC 2012 and SBD gives {NUM_TRAIN_AUG} images: something is left out here')
    return 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
