import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmamr.engine.test_time import apply_test_time, views_pipeline

PIPELINE = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]


@pytest.fixture(autouse=True)
def scope_of_its_own(monkeypatch):
    """A runner leaves its default scope behind, where the next test would find it."""
    monkeypatch.setattr(DefaultScope, '_instance_dict', DefaultScope._instance_dict.copy())


def views(pipeline):
    return pipeline[-1]['transforms']


def test_pipeline_without_resize():
    pipeline = views_pipeline(PIPELINE, scales=(0.5, 1.0), flip=True)
    assert pipeline[:-1] == PIPELINE[:1]
    resizes, flips, mask, pack = views(pipeline)
    assert [step['scale_factor'] for step in resizes] == [0.5, 1.0]
    assert [step['prob'] for step in flips] == [0.0, 1.0]
    assert [mask, pack] == [[PIPELINE[1]], [PIPELINE[2]]]


@pytest.mark.parametrize(
    'resize, key, expected',
    [
        (dict(type='Resize', scale=(2048, 512), keep_ratio=True), 'scale', [(1024, 256), (3072, 768)]),
        (dict(type='mmseg.Resize', scale_factor=0.5), 'scale_factor', [0.25, 0.75]),
    ],
)
def test_pipeline_with_resize(resize, key, expected):
    load, pack = dict(type='LoadImageFromFile'), dict(type='PackSegInputs')
    pipeline = views_pipeline([load, resize, pack], scales=(0.5, 1.5), flip=False)
    resizes, flips, _ = views(pipeline)
    assert [step[key] for step in resizes] == expected
    assert len(flips) == 1


def config(root, work_dir):
    dataset = dict(
        type='mmamr.SegmentationDataset',
        data_root=str(root),
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=dict(classes=('disc', 'square', 'cross')),
        pipeline=PIPELINE,
    )
    return Config(
        dict(
            default_scope='mmseg',
            work_dir=str(work_dir),
            log_level='WARNING',
            model=dict(
                type='EncoderDecoder',
                data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True),
                backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4, norm_cfg=dict(type='BN')),
                decode_head=dict(
                    type='mmamr.ASPPV2Head',
                    in_channels=32,
                    in_index=3,
                    num_classes=4,
                    loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
                ),
                test_cfg=dict(mode='whole'),
            ),
            test_dataloader=dict(
                batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset
            ),
            test_evaluator=dict(type='IoUMetric', iou_metrics=['mIoU']),
            test_cfg=dict(type='TestLoop'),
            test_time=dict(
                ms=False, scales=(0.75, 1.25), flip=False, crf=False, crf_params=dict(iterations=1, bilateral_sxy=10)
            ),
        )
    )


def test_nothing_is_changed_when_nothing_is_on(tiny_voc, tmp_path):
    cfg = config(tiny_voc, tmp_path)
    before = cfg.to_dict()
    apply_test_time(cfg)
    assert cfg.to_dict() == before
    cfg.pop('test_time')
    apply_test_time(cfg)
    assert 'test_time' not in cfg


@pytest.mark.parametrize(
    'switches, prefix, num_views',
    [
        (('ms',), 'ms', 2),
        (('flip',), 'flip', 2),
        (('crf',), 'crf', 1),
        (('crf', 'flip', 'ms'), 'ms_flip_crf', 4),
    ],
)
def test_each_switch_is_carried_out_and_named(tiny_voc, tmp_path, switches, prefix, num_views):
    cfg = config(tiny_voc, tmp_path)
    cfg.merge_from_dict({f'test_time.{switch}': True for switch in switches})
    apply_test_time(cfg)
    runner = Runner.from_cfg(cfg)
    assert (runner.model.crf is not None) == ('crf' in switches)
    seen = []
    merge = runner.model.merge_preds
    runner.model.merge_preds = lambda samples: seen.append(len(samples[0])) or merge(samples)
    metrics = runner.test()
    assert {f'{prefix}/mIoU', f'{prefix}/aAcc'} < metrics.keys()
    assert seen == [num_views] * 4


def test_names_come_behind_a_prefix_and_reach_every_evaluator(tiny_voc, tmp_path):
    cfg = config(tiny_voc, tmp_path)
    cfg.test_evaluator = [dict(type='IoUMetric', prefix='val'), dict(type='IoUMetric', iou_metrics=['mDice'])]
    cfg.test_time.flip = True
    apply_test_time(cfg)
    assert [evaluator['prefix'] for evaluator in cfg.test_evaluator] == ['val_flip', 'flip']
