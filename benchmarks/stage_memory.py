"""Run a pipeline and print the memory of its process: the peak of each stage, and what is held after it.

One process, without the workers of its data loaders. Trainings are as short as the options say, all photos go through
the other stages.

    python benchmarks/stage_memory.py
    python benchmarks/stage_memory.py --config ../configs/pipelines/amr_resnet18-w16_irnet_deeplabv2_embedded.py
"""

import argparse
import json
import os.path as osp
import subprocess
import sys
import tempfile

from results import add_csv_option, write_rows

ROOT = osp.join(osp.dirname(osp.abspath(__file__)), '..')
PIPELINE = osp.join(ROOT, 'configs', 'pipelines', 'amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py')
SHORT = (
    'stages.classifier.options.train_cfg.max_epochs=1',
    'stages.affinity.options.train_cfg.max_epochs=1',
    'stages.segmentation.options.train_cfg.max_iters=20',
    'stages.segmentation.options.train_cfg.val_interval=20',
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default=PIPELINE, help='a pipeline; default: %(default)s')
    parser.add_argument('--work-dir', help='folder of the run; a temporary one if none is given')
    parser.add_argument('--cfg-options', nargs='*', default=SHORT, help='default: short trainings')
    add_csv_option(parser)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        work_dir = args.work_dir or folder
        command = [sys.executable, osp.join(ROOT, 'tools', 'train.py'), args.config, '--work-dir', work_dir, '--resume']
        options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
        code = subprocess.run([*command, *options]).returncode
        if code != 0:
            raise SystemExit(code)
        with open(osp.join(work_dir, 'manifest.json'), encoding='utf-8') as file:
            stages = json.load(file)['stages']
    rows = [
        {
            'stage': name,
            'peak while it ran (MiB)': record['peak_memory_mib']['cpu'],
            'held after it (MiB)': record['held_memory_mib']['cpu'],
        }
        for name, record in stages.items()
    ]
    for row in rows:
        print(*(f'{key}: {value}' for key, value in row.items()), sep=', ')
    write_rows(args.csv, rows)


if __name__ == '__main__':
    main()
