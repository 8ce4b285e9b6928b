"""Measure CAM files against the masks of a data set, without a model: mIoU for each ξ (Table 5).

    python tools/analysis_tools/eval_cams.py configs/amr/<config>.py --cam-dir work_dirs/<config>/cams

The CAMs may be anyone's: mmamr/fileio/cam_file.py describes the file.
"""

import argparse

import mmamr  # noqa: F401  (before torch, whose threads it lets sleep)

# isort: split
from mmengine.dataset import BaseDataset

from mmamr.apis import evaluate_cams, evaluate_complement, init_dataset, metrics_table, write_metrics
from mmamr.evaluation.evaluate import METRICS_SUFFIXES
from mmamr.utils import add_config_arguments, one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config whose test_dataloader names the images and masks')
    parser.add_argument(
        '--cam-dir', required=True, nargs='+', help='folder of <id>.npz; of several, one a model, the mean is measured'
    )
    parser.add_argument(
        '--xis', nargs='+', type=float, default=[0.1, 0.3, 0.5, 0.7, 0.9], help='ξ of the weighted CAMs (%(default)s)'
    )
    parser.add_argument(
        '--threshold',
        type=lambda text: text if text == 'auto' else float(text),
        default=0.2,
        help="fixed background threshold (%(default)s); 'auto' is what threshold='auto' of the pseudo labels chooses",
    )
    parser.add_argument(
        '--complement',
        action='store_true',
        help='also how much of what the spotlight leaves out of the objects the compensation maps cover, at the best '
        'threshold of either',
    )
    parser.add_argument('--nproc', type=int, default=2, help='processes; 0 is none besides this (%(default)s)')
    parser.add_argument('--out', help='metrics.json, or table.md, to write as well')
    parser.add_argument('--curves', help='JSON file for the mIoU at each threshold and the scores of each class')
    add_config_arguments(
        parser,
        'e.g. test_dataloader.dataset.split=ImageSets/Segmentation/val.txt',
    )
    args = parser.parse_args(argv)
    if args.out is not None and not args.out.endswith(METRICS_SUFFIXES):
        parser.error(f'--out {args.out}: name a file {" or ".join(METRICS_SUFFIXES)}')
    if not all(0 <= xi <= 1 for xi in args.xis):
        parser.error(f'--xis {args.xis}: ξ lies in [0, 1]')
    if args.complement and len(args.cam_dir) > 1:
        parser.error('--complement is of one folder')
    return args


def complement(dataset: BaseDataset, cam_dir: str, metrics: dict[str, float], nproc: int) -> dict[str, float]:
    """Percent of the object pixels that the spotlight leaves out, at the best threshold of either branch."""
    thresholds = {name: metrics.get(f'CAM/{name}.best_threshold', 0) for name in ('spotlight', 'compensation')}
    return evaluate_complement(dataset, cam_dir, thresholds, nproc)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        dataset = init_dataset(args.config, args.cfg_options)
        metrics = evaluate_cams(dataset, args.cam_dir, args.xis, args.threshold, args.nproc, args.curves)
        chosen = metrics.pop('CAM/auto_threshold', None)
        tables = [metrics]
        if args.complement:
            tables.append(complement(dataset, args.cam_dir[0], metrics, args.nproc))
            metrics = {**metrics, **tables[-1]}
    if chosen is not None:
        print(f'threshold chosen without masks: {chosen:.2f}')
        metrics = {**metrics, 'CAM/auto_threshold': chosen}
    print('\n'.join(map(metrics_table, tables)), end='')
    if args.out is not None:
        write_metrics(args.out, metrics)


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
