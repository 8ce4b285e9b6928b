"""Measure label PNGs, such as pseudo labels, against the masks of a data set: mIoU, false positives and negatives.

python tools/analysis_tools/eval_labels.py CONFIG --label-dir work_dirs/<run>/SegmentationClassPseudo
"""

import argparse

from mmamr.apis import evaluate_labels, init_dataset, metrics_table, write_metrics
from mmamr.evaluation.evaluate import METRICS_SUFFIXES
from mmamr.utils import add_config_arguments, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config whose test_dataloader names the images and masks')
    parser.add_argument('--label-dir', required=True, help='folder of <id>.png with the mask values of the data set')
    parser.add_argument('--nproc', type=int, default=2, help='processes; 0 is none besides this (%(default)s)')
    parser.add_argument('--out', help='metrics.json, or table.md, to write as well')
    add_config_arguments(
        parser,
        'e.g. test_dataloader.dataset.split=ImageSets/Segmentation/val.txt',
    )
    args = parser.parse_args(argv)
    if args.out is not None and not args.out.endswith(METRICS_SUFFIXES):
        parser.error(f'--out {args.out}: name a file {" or ".join(METRICS_SUFFIXES)}')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        metrics = evaluate_labels(init_dataset(args.config, args.cfg_options), args.label_dir, args.nproc)
    print(metrics_table(metrics), end='')
    if args.out is not None:
        write_metrics(args.out, metrics)


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
