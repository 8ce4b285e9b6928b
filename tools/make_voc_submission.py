r"""Pack predictions for the evaluation server of PASCAL VOC 2012, or check an archive before it is sent.

    python tools/test.py configs/deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py CHECKPOINT \
        --cfg-options test_dataloader.dataset.split=ImageSets/Segmentation/test.txt \
        test_dataloader.dataset.mask_dir=None test_evaluator.format_only=True \
        test_evaluator.output_dir=work_dirs/test_predictions
    python tools/make_voc_submission.py work_dirs/test_predictions submission.tgz
    python tools/make_voc_submission.py --check submission.tgz
"""

import argparse
import os.path as osp
import sys

import mmamr  # noqa: F401  (before anything of OpenMMLab)
from mmamr.datasets.splits import read_ids
from mmamr.evaluation.voc_submission import COMPETITIONS, check_submission, write_submission
from mmamr.utils import one_line_errors


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('predictions', nargs='?', help='folder of <id>.png with values 0 to 20')
    parser.add_argument('archive', nargs='?', help='.tgz to write')
    parser.add_argument('--check', metavar='ARCHIVE', help='write nothing; list what is wrong with this archive')
    parser.add_argument('--data-root', default='data/VOCdevkit/VOC2012', help='folder of JPEGImages and ImageSets')
    parser.add_argument('--split', default='ImageSets/Segmentation/test.txt', help='test list, under --data-root')
    parser.add_argument('--competition', choices=COMPETITIONS, default='comp6', help='comp5: trained on VOC only')
    args = parser.parse_args(argv)
    if (args.check is None) == (args.archive is None):
        parser.error('give either a folder and an archive to write, or --check and an archive')
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    image_dir = osp.join(args.data_root, 'JPEGImages')
    archive = args.check or args.archive
    try:
        ids = read_ids(osp.join(args.data_root, args.split))
        if args.check is None:
            write_submission(archive, args.predictions, ids, image_dir, args.competition)
        faults = check_submission(archive, ids, image_dir, args.competition)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f'{archive}: {len(faults)} faults' if faults else f'{archive}: {len(ids)} masks, ready for the server')
    return 1 if faults else 0


if __name__ == '__main__':
    with one_line_errors(program=True):
        sys.exit(main())
