"""Masks of any photos from a checkpoint alone, as palette PNGs, overlays and a contact sheet.

    python tools/predict.py work_dirs/photos_efficientnet-lite new-photos --out masks
    python tools/predict.py work_dirs/photos/classifier/epoch_8.pth 'new-photos/**/*.jpg' --out tags

A classifier's checkpoint gives tags, CAM pictures and seeds instead. Results that are there are kept.
"""

import argparse
import sys

from mmamr.apis import predict
from mmamr.compat import keep_freed_memory
from mmamr.fileio.annotations import FORMATS
from mmamr.utils import one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'checkpoint', help='.pth of a segmentation model or of a classifier, or the folder of a training or a pipeline'
    )
    parser.add_argument('photos', nargs='+', metavar='PHOTOS', help='files, folders (with all below them), patterns')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the results')
    parser.add_argument('--config', help='config of a checkpoint that holds none, or the one to use instead of it')
    parser.add_argument(
        '--format',
        nargs='+',
        default=[],
        choices=['png', *FORMATS],
        help='also write the files of annotation tools; masks are always written as PNG',
    )
    parser.add_argument(
        '--tolerance', type=float, default=1.0, metavar='PIXELS', help='how far outlines may lie from the mask (1)'
    )
    parser.add_argument('--fast', action='store_true', help='one scale, no mirror image, no CRF')
    parser.add_argument('--redo', action='store_true', help='make results that are there again')
    parser.add_argument('--device', default='auto', help='cpu, cuda, cuda:1, … (a GPU where there is one)')
    parser.add_argument('--batch-size', type=int, metavar='N', help='photos of one size at once (CPU 1, GPU 4)')
    parser.add_argument('--workers', type=int, default=2, metavar='N', help='threads that read and write (%(default)s)')
    classifier = parser.add_argument_group('of classifiers')
    classifier.add_argument('--threshold', type=float, help='background threshold of the seeds (0.2)')
    classifier.add_argument('--score-threshold', type=float, help='a tag scores more than this (0.5)')
    args = parser.parse_args(argv)
    if (args.batch_size is not None and args.batch_size < 1) or args.workers < 1:
        parser.error('--batch-size and --workers must be 1 at least')
    if args.tolerance < 0:
        parser.error('--tolerance must not be negative')
    for name in ('threshold', 'score_threshold'):
        if getattr(args, name) is not None and not 0 <= getattr(args, name) <= 1:
            parser.error(f'--{name.replace("_", "-")} must lie in [0, 1]')
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    keep_freed_memory()
    with one_line_errors():
        report = predict(
            args.checkpoint,
            args.photos,
            args.out,
            config=args.config,
            formats=args.format,
            fast=args.fast,
            redo=args.redo,
            device=args.device,
            batch_size=args.batch_size,
            num_workers=args.workers,
            tolerance=args.tolerance,
            threshold=args.threshold,
            score_threshold=args.score_threshold,
        )
    print(f'{args.out}: {report.made} made, {report.kept} were there, {len(report.failed)} failed')
    print(''.join(f'{path}\n' for path in report.files), end='')
    if report.changed:
        first, more = report.changed[0], len(report.changed) - 1
        others = f' and {more} more' if more else ''
        print(
            f'{first}{others} changed since written, and kept: --redo, or another --out, writes anew', file=sys.stderr
        )
    for line in report.failed:
        print(line, file=sys.stderr)
    return int(bool(report.failed))


if __name__ == '__main__':
    sys.exit(main())
