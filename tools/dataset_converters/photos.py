"""Lay out any folder of photos with tags as a data set in VOC's layout, which all configs read.

    python tools/dataset_converters/photos.py my-photos --out data/mine
    python tools/train.py configs/pipelines/<pipeline>.py --data-root data/mine

The second command does the first by itself for a folder that was not laid out; this one is to look at what is found,
and to share one data set between several runs. Photos are linked, not copied. Run it again after photos were added:
those that were there keep their names and their place in train or val.
"""

import argparse

from mmamr.datasets.photo_folder import KINDS, lay_out
from mmamr.utils import one_line_errors, split_names


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='folder of the photos, at any depth below it')
    parser.add_argument('--out', '--out-dir', required=True, metavar='DIR', help='folder to write')
    parser.add_argument(
        '--labels',
        metavar='FILE|FORMAT',
        help=f'file of the tags, or their format: {", ".join(KINDS)} (the first of these that is there)',
    )
    parser.add_argument(
        '--masks',
        metavar='FILE|DIR',
        help='masks that a person drew or corrected, to learn from: PNGs, or outlines in COCO, LabelMe or CVAT files',
    )
    parser.add_argument(
        '--classes',
        action='append',
        metavar='A,B',
        help='names of the classes (all that the tags name); a name with a comma in quotes',
    )
    parser.add_argument('--mask-values', metavar='1,2', help='values of these classes in masks (what the files tell)')
    parser.add_argument(
        '--val-ratio',
        type=float,
        default=0.2,
        metavar='R',
        help='part of the photos to validate on, if no lists or folders say which (%(default)s)',
    )
    args = parser.parse_args(argv)
    try:
        args.classes = split_names(args.classes) if args.classes else None
        args.mask_values = [int(value) for value in args.mask_values.split(',')] if args.mask_values else None
    except ValueError as error:
        parser.error(str(error))
    if args.mask_values and len(args.mask_values) != len(args.classes or ()):
        parser.error('--mask-values needs --classes with as many names')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        layout = lay_out(
            args.source, args.out, args.labels, args.classes, args.val_ratio, args.mask_values, masks=args.masks
        )
    print(f'{layout.folder}: {layout.text()}')


if __name__ == '__main__':
    main()
