"""A work folder that looks as a pipeline left it, without any stage having run."""

import json

import pytest
from mmengine.config import Config

from mmamr.pipeline.settings import write_settings

CLASSES = ['background', 'disc', 'square']


def record(kind, metrics, images=8, **values):
    return dict(
        dict(
            state='done',
            kind=kind,
            config=f'configs/{kind}.py',
            config_hash='ab' * 32,
            options={'test_cfg.cam_dir': '{cam.out_dir}'},
            seed=0,
            started='2026-01-02T03:04:05+00:00',
            seconds=83.4,
            processes=2,
            attempts=1,
            error=None,
            peak_memory_mib=dict(cpu=1234, gpu=0),
            metrics=metrics,
            inputs=dict(images=dict(path='', count=images, unit='items', hash='cd')),
            outputs={},
            versions=dict(python='3.11.7', torch='2.15.0'),
        ),
        **values,
    )


def curve(iou, thresholds=(0.1, 0.2, 0.3), miou=(40.0, 50.0, 45.0)):
    return dict(thresholds=list(thresholds), miou=list(miou), threshold=thresholds[0], iou=iou)


@pytest.fixture
def manifest(tmp_path):
    """The manifest of a made-up pipeline of five stages, of which the last failed."""
    from mmamr.pipeline.manifest import Manifest

    manifest = Manifest(str(tmp_path))
    manifest.describe('configs/amr/my-pipeline.py', ['classifier', 'cam', 'labels', 'segmentation', 'evaluation'])
    manifest.update(
        'cam',
        **record(
            'test',
            {
                'CAM/spotlight.mIoU': 41.0,
                'CAM/spotlight.best_mIoU': 50.0,
                'CAM/spotlight.best_threshold': 0.2,
                'CAM/weighted.mIoU': 42.0,
                'CAM/weighted.best_mIoU': 51.25,
                'CAM/weighted.best_threshold': 0.2,
                'CAM/weighted(xi=0.1).mIoU': 41.5,
                'CAM/weighted(xi=0.1).best_mIoU': 50.5,
                'CAM/weighted(xi=0.1).best_threshold': 0.3,
            },
        ),
    )
    manifest.update('classifier', **record('train', {'multi-label/mAP': 90.0}))
    manifest.update(
        'labels',
        **record(
            'test',
            {
                'walk/walk.mIoU': 43.0,
                'walk/walk.best_mIoU': 53.0,
                'walk/walk.best_threshold': 8.0,
                'labels/mIoU': 52.0,
                'labels/coverage': 97.0,
            },
        ),
    )
    manifest.update('segmentation', **record('train', {'mIoU': 55.0, 'IoU.disc': 60.0}, seconds=5000))
    manifest.update('evaluation', **record('test', {}, state='failed', error='the <disk> is full'))
    details = dict(
        cam=[
            dict(
                classes=CLASSES,
                rows={
                    'spotlight': curve([80.0, 40.0, None]),
                    'weighted': curve([81.0, 41.0, 22.0]),
                    'weighted(xi=0.1)': curve([82.0, 42.0, 23.0]),
                },
            )
        ],
        labels=[
            dict(classes=CLASSES, rows=dict(walk=curve([83.0, 43.0, 24.0], (16.0, 8.0, 4.0)))),
            dict(classes=CLASSES, rows=dict(labels=dict(iou=[84.0, 44.0, 25.0]))),
        ],
        segmentation=[dict(classes=CLASSES, rows={'': dict(iou=[85.0, 45.0, 26.0])})],
        evaluation=[dict(classes=CLASSES, rows={'': dict(iou=[1.0, 2.0, 3.0])})],
    )
    for name in manifest.stages:
        folder = tmp_path / name
        folder.mkdir()
        loops = dict(cam='CAMLoop', labels='mmamr.PseudoLabelLoop', evaluation='TestLoop')
        settings = dict(model=dict(type='<b>Net</b>'))
        if name in loops:
            settings.update(test_cfg=dict(type=loops[name]))
        write_settings(str(folder / 'stage_settings.json'), Config(settings))
        if name in details:
            (folder / 'stage_details.json').write_text(json.dumps(details[name]))
    log = tmp_path / 'classifier' / '20260102_030405' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(
        '{"loss": 1.5, "loss_a": 1.4, "loss_b": 0.1, "step": 10}\n'
        '{"loss": 0.5, "loss_a": 0.45, "loss_b": 0.05, "step": 20}\n'
    )
    return manifest
