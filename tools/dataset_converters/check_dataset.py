"""Check a data set and report every problem at once: exit code 1 if there is any.

python tools/dataset_converters/check_dataset.py configs/amr/<config>.py
python tools/dataset_converters/check_dataset.py --data-root data/VOCdevkit/VOC2012 --mask-dir SegmentationClass
"""

import argparse
import os
import sys

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

from mmamr.datasets import ImageLabelDataset
from mmamr.datasets.check import check_dataset, datasets_of_config
from mmamr.utils import merge_options, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Check a data set and report every problem at once')
    parser.add_argument('config', nargs='?', help='config whose data sets are checked')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='settings to override, key=value')
    parser.add_argument('--data-root', help='folder of the data set, instead of a config')
    parser.add_argument('--split', default='ImageSets/Segmentation/train.txt', help='list of images (%(default)s)')
    parser.add_argument('--img-dir', default='JPEGImages', help='folder of the images (%(default)s)')
    parser.add_argument('--mask-dir', help='folder of the masks; without it none are checked')
    parser.add_argument('--partial-masks', action='store_true', help='an image may lack a mask')
    parser.add_argument(
        '--labels',
        default='xml',
        help="where labels come from: 'xml' (Annotations), 'masks' (--mask-dir), or a file .csv or .npz (%(default)s)",
    )
    parser.add_argument('--classes', nargs='+', help="names of the classes (VOC's 20)")
    parser.add_argument('--mask-values', nargs='+', type=int, help='value of each class in the masks (1 to K)')
    parser.add_argument('--limit', type=int, default=20, help='lines of one kind at most, 0 for all (%(default)s)')
    parser.add_argument('--nproc', type=int, default=min(8, os.cpu_count() or 1), help='processes (%(default)s)')
    args = parser.parse_args(argv)
    if (args.config is None) == (args.data_root is None):
        parser.error('give either a config or --data-root')
    if args.labels == 'masks' and args.mask_dir is None and args.config is None:
        parser.error('--labels masks needs --mask-dir')
    return args


def dataset_of_options(args: argparse.Namespace) -> ImageLabelDataset:
    """The data set that the command line describes."""
    if args.labels == 'xml':
        labels = dict(type='VOCXMLLabels')
    elif args.labels == 'masks':
        labels = dict(type='MaskLabels', mask_dir=args.mask_dir)
    else:
        # As in a shell: relative to where the command is run, not to the data set.
        kind = 'LabelTable' if args.labels.endswith('.npz') else 'CSVLabels'
        labels = dict(type=kind, file=os.path.abspath(args.labels))
    metainfo = {}
    if args.classes:
        metainfo.update(classes=args.classes)
    if args.mask_values:
        metainfo.update(mask_values=args.mask_values)
    return ImageLabelDataset(
        data_root=args.data_root,
        split=args.split,
        img_dir=args.img_dir,
        mask_dir=args.mask_dir,
        partial_masks=args.partial_masks,
        labels=labels,
        metainfo=metainfo,
        lazy_init=True,
    )


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    init_default_scope('mmamr')
    try:
        datasets: dict[str, ImageLabelDataset]
        if args.config is None:
            datasets = {args.data_root: dataset_of_options(args)}
        else:
            cfg = Config.fromfile(args.config)
            merge_options(cfg, args.cfg_options)
            datasets = datasets_of_config(cfg)
            if not datasets:
                print(f'{args.config}: no loader with an ImageLabelDataset; name another config')
                return 1
    except (ValueError, FileNotFoundError) as error:
        print(error)
        return 1

    num_problems = 0
    for name, dataset in datasets.items():
        print(f'Checking {name}')
        report = check_dataset(dataset, args.nproc)
        print(report.text(args.limit), flush=True)
        num_problems += len(report.problems)
    return int(num_problems > 0)


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
