"""The whole method on the embedded data set, with a table, pictures and a report: what `make demo` runs.

No download of data or weights. Whatever is done already is skipped, so that a second call ends at once and one that was
interrupted goes on.
"""

import argparse
import json
import os
import os.path as osp
import subprocess
import sys
import time

from mmengine.config import Config
from prettytable import PrettyTable

from mmamr.datasets import init_dataset
from mmamr.datasets.embedded.folder import embedded_root
from mmamr.engine import latest_checkpoint
from mmamr.evaluation import evaluate_complement
from mmamr.pipeline.report import REPORT
from mmamr.utils import one_line_errors

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))
PLAIN = 'configs/pipelines/cam_resnet18-w16_irnet_deeplabv2_embedded.py'
AMR = 'configs/pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py'
CAMS = 'configs/amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
IRNET = 'configs/irnet/irnet_resnet18-w16_1xb16-16e_embedded-112px.py'
SHOWN = ('val_0049', 'val_0097', 'val_0053')
"""Photos in the last picture, drawn by chance."""


def run(script: str, *arguments: str) -> None:
    """Run one of the tools; end with its exit code if it fails."""
    code = subprocess.run([sys.executable, osp.join(ROOT, 'tools', script), *arguments], cwd=ROOT).returncode
    if code != 0:
        raise SystemExit(code)


def metrics(work_dir: str, stage: str) -> dict:
    """Metrics of a stage from the manifest of a pipeline."""
    with open(osp.join(work_dir, 'manifest.json'), encoding='utf-8') as file:
        return json.load(file)['stages'][stage]['metrics']


def rows(plain: str, amr: str) -> list[tuple[str, str, float]]:
    """What came out: name, split and mIoU in percent."""
    cams, labels = metrics(amr, 'cam'), metrics(amr, 'pseudo_label')
    return [
        ('CAM, plain classifier', 'train', metrics(plain, 'cam')['CAM/spotlight.best_mIoU']),
        ('CAM, AMR: spotlight', 'train', cams['CAM/spotlight.best_mIoU']),
        ('CAM, AMR: compensation', 'train', cams['CAM/compensation.best_mIoU']),
        ('CAM, AMR: weighted', 'train', cams['CAM/weighted.best_mIoU']),
        ('pseudo labels, IRNet, fixed threshold', 'train', labels['pseudo_label/mIoU']),
        ('segmentation, DeepLab-v2', 'val', metrics(amr, 'evaluation')['mIoU']),
    ]


def complement(amr: str) -> str:
    """A sentence on whether the compensation branch sees what the spotlight does not."""
    thresholds = {name: metrics(amr, 'cam')[f'CAM/{name}.best_threshold'] for name in ('spotlight', 'compensation')}
    dataset = init_dataset(Config.fromfile(osp.join(ROOT, CAMS)))
    found = evaluate_complement(dataset, osp.join(amr, 'cam', 'cams'), thresholds)
    added, control = found['complement/compensation'], found['complement/spotlight']
    verdict = 'what the spotlight does not see' if added > control + 1 else 'no more than the spotlight'
    return (
        f'The compensation maps reach {added:.1f} % of the object pixels that the spotlight leaves out, as many pixels '
        f'more of the spotlight itself {control:.1f} %: on these drawings the second branch sees {verdict}.'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='folder of everything (%(default)s)')
    args = parser.parse_args()
    start = time.time()
    plain, amr = osp.join(args.work_dir, 'plain'), osp.join(args.work_dir, 'amr')
    pictures = osp.join(args.work_dir, 'pictures')
    run('train.py', PLAIN, '--work-dir', plain, '--resume', '--stages', 'classifier', 'cam')
    run('train.py', AMR, '--work-dir', amr, '--resume')
    run(
        'analysis_tools/vis_cams.py',
        CAMS,
        '--cam-dir',
        osp.join(amr, 'cam', 'cams'),
        '--num',
        '6',
        '--out',
        osp.join(pictures, 'cams.png'),
    )
    run(
        'analysis_tools/vis_affinity.py',
        IRNET,
        latest_checkpoint(osp.join(amr, 'affinity')),
        '--cam-dir',
        osp.join(amr, 'cam', 'cams'),
        '--threshold',
        '0.15',
        '--num',
        '6',
        '--out',
        osp.join(pictures, 'pseudo_labels.png'),
    )
    photos = osp.join(embedded_root(), 'JPEGImages')
    run(
        'analysis_tools/vis_masks.py',
        amr,
        *(osp.join(photos, f'{img_id}.png') for img_id in SHOWN),
        '--out',
        osp.join(pictures, 'in_and_out.jpg'),
        '--width',
        '220',
    )
    table = PrettyTable(['', 'split', 'mIoU (%)'], align='l')
    table.add_rows([(name, split, f'{value:.1f}') for name, split, value in rows(plain, amr)])
    print(
        f'\n{table}\nCAMs at their best threshold. {complement(amr)}\n{time.time() - start:.0f} s. Pictures: '
        f'{os.path.relpath(pictures)}/cams.png, pseudo_labels.png, in_and_out.jpg'
    )
    report = osp.join(amr, REPORT)
    if osp.exists(report):
        print(f'Report: {os.path.relpath(report)}')


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
