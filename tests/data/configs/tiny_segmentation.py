# DeepLab-v2 at its smallest: trained on pseudo labels in mmseg's scope, validated and measured on four photographs.
default_scope = 'mmseg'
data_root = '{{$MMAMR_TINY_VOC:data/tiny}}'
metainfo = dict(classes=('disc', 'square', 'cross'))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(48, 48),
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=4,
        base_channels=4,
        strides=(1, 2, 1, 1),
        out_indices=(3,),
        norm_eval=True,
    ),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=32,
        in_index=0,
        dilations=(1, 2),
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
class_heads = dict(background=['model.decode_head'])
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='mmamr.SegmentationDataset',
        data_root=data_root,
        metainfo=metainfo,
        split='ImageSets/Segmentation/train.txt',
        label_dir='SegmentationClassPseudo',
        pipeline=[
            dict(type='mmamr.LoadImage'),
            dict(type='mmamr.LoadMask'),
            dict(type='Resize', scale=(48, 48)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmamr.SegmentationDataset',
        data_root=data_root,
        metainfo=metainfo,
        split='ImageSets/Segmentation/val.txt',
        pipeline=[dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmamr.SegmentationMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=6, val_interval=6)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2, max_keep_ckpts=1),
    randomness=dict(type='mmamr.ResumableRandomnessHook'),
)
log_processor = dict(by_epoch=False)
visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
randomness = dict(seed=0)
