"""One photo through every stage in a process of its own, which prints its largest memory in MB.

MMAMR_TINY_VOC=DATA python large_photo.py WORK_DIR
"""

import json
import resource
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

import mmamr  # noqa: F401  it cures the stack before mmseg is imported
from mmamr.engine import apply_test_time

CONFIGS = Path(__file__).parent / 'configs'


def run(name: str, work_dir: Path, options: dict) -> None:
    """Run the test of a config, with random weights where it has a network."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    cfg.merge_from_dict({'work_dir': str(work_dir / name), 'log_level': 'WARNING', **options})
    cfg.experiment_name = f'{work_dir.name}_{name}'
    for unused in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler'):
        cfg[unused] = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    apply_test_time(cfg)
    Runner.from_cfg(cfg).test()


def main() -> None:
    work_dir = Path(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    split = {'test_dataloader.dataset.split': 'ImageSets/Segmentation/train.txt'}
    peaks = {}

    def stage(name: str, options: dict) -> None:
        run(name, work_dir, {**split, **options})
        peaks[name] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    stage('tiny_amr', {})
    stage('tiny_affinity-label', {'test_cfg.cam_dir': f'{work_dir}/tiny_amr/cams', 'test_cfg.crf.backend': 'torch'})
    stage('tiny_irnet', {'test_cfg.cam_dir': f'{work_dir}/tiny_amr/cams'})
    stage('tiny_pseudo-label', {'test_cfg.cam_dir': f'{work_dir}/tiny_irnet/walks', 'test_evaluator': []})
    test_time = dict(ms=True, scales=(0.5, 1.0), flip=True, crf=True, crf_params=dict(iterations=2, backend='torch'))
    stage(
        'tiny_segmentation',
        {
            'test_time': test_time,
            'test_evaluator.output_dir': f'{work_dir}/predictions',
            'test_dataloader.dataset.mask_dir': 'SegmentationClass',
        },
    )
    print(json.dumps(peaks))


if __name__ == '__main__':
    main()
