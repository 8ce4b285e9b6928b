"""Check data sets and report every problem at once, and what is suspicious: exit code 1 if there is any problem.

python tools/dataset_converters/check_dataset.py configs/amr/<config>.py
python tools/dataset_converters/check_dataset.py configs/pipelines/<config>.py --data-root my-photos
python tools/dataset_converters/check_dataset.py --data-root my-photos
python tools/dataset_converters/check_dataset.py --data-root data/VOCdevkit/VOC2012 --mask-dir SegmentationClass
"""

import argparse
import os
import sys
import tempfile

from mmengine.registry import init_default_scope

from mmamr.datasets import ImageLabelDataset, load_config
from mmamr.datasets.check import check_dataset, datasets_of_config
from mmamr.datasets.data_root import open_data_root
from mmamr.pipeline import datasets_of_pipeline
from mmamr.utils import DictAction, InputError, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Check a data set and report every problem at once')
    parser.add_argument('config', nargs='?', help='config, also of a pipeline, whose data sets are checked')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='settings to override, key=value')
    parser.add_argument('--data-root', help='folder of the data set, in the place of that of a config')
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
    if args.config is None and args.data_root is None:
        parser.error('give a config or --data-root, or both')
    if args.config is not None and args.data_root is not None:
        options = {'metainfo.classes': args.classes, 'metainfo.mask_values': args.mask_values}
        options.update(data_root=args.data_root, labels=None if args.labels == 'xml' else args.labels)
        args.cfg_options = {**(args.cfg_options or {}), **{key: one for key, one in options.items() if one is not None}}
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


def datasets_of_photos(args: argparse.Namespace, folder: str) -> dict[str, ImageLabelDataset]:
    """The data sets of any folder of photos, which is laid out into ``folder``, and what was found there."""
    metainfo = {}
    if args.classes:
        metainfo.update(classes=args.classes)
    if args.mask_values:
        metainfo.update(mask_values=args.mask_values)
    found = open_data_root(args.data_root, folder, metainfo or None, None if args.labels == 'xml' else args.labels)
    assert found.layout is not None
    print(found.layout.text())
    masks = 'SegmentationClass' if os.path.isdir(os.path.join(found.path, 'SegmentationClass')) else None
    return {
        f'{split}_dataloader': ImageLabelDataset(
            data_root=found.path,
            split=f'ImageSets/Segmentation/{split}.txt',
            mask_dir=masks,
            partial_masks=True,
            labels=dict(found.labels or {}),
            metainfo=found.metainfo,
            lazy_init=True,
        )
        for split in found.layout.counts
    }


def datasets_to_check(args: argparse.Namespace, folder: str) -> dict[str, ImageLabelDataset]:
    """The data sets that the command line names: a folder's, or those of a config or of all stages of a pipeline.

    Args:
        args (Namespace): The command line.
        folder (str): For photos that are not in VOC's layout.

    Raises:
        InputError: If there is none.
    """
    if args.config is None:
        laid_out = any(os.path.exists(os.path.join(args.data_root, name)) for name in (args.img_dir, args.split))
        if os.path.isdir(args.data_root) and not laid_out:
            return datasets_of_photos(args, folder)
        return {args.data_root: dataset_of_options(args)}
    cfg = load_config(args.config, {'work_dir': folder, **(args.cfg_options or {})})
    found = datasets_of_pipeline(cfg) if 'stages' in cfg else datasets_of_config(cfg)
    if not found:
        raise InputError(f'{args.config}: no loader with an ImageLabelDataset; name another config')
    return found


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    init_default_scope('mmamr')
    with tempfile.TemporaryDirectory() as folder:
        try:
            datasets = datasets_to_check(args, folder)
        except (ValueError, FileNotFoundError) as error:
            print(error)
            return 1
        return check(args, datasets)


def check(args: argparse.Namespace, datasets: dict[str, ImageLabelDataset]) -> int:
    """Check all data sets and print what was found; returns the exit code."""
    num_problems = 0
    for name, dataset in datasets.items():
        print(f'Checking {name}')
        # names tell the loaders; a list that only measures may have few photos
        trains = args.config is None or 'train_dataloader' in name
        report = check_dataset(dataset, args.nproc, trains, keep=args.limit or None)
        print(report.text(args.limit), flush=True)
        num_problems += report.num_problems
    return int(num_problems > 0)


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
