# AMR at its smallest, for tests: a ResNet of 32 channels on 12 photographs of 64 pixels.
default_scope = 'mmamr'
data_root = '{{$MMAMR_TINY_VOC:data/tiny}}'
metainfo = dict(classes=('disc', 'square', 'cross'))
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape')
branch = dict(
    backbone=dict(
        type='mmseg.ResNet',
        depth=18,
        stem_channels=4,
        base_channels=4,
        strides=(1, 2, 2, 1),
        out_indices=(3,),
        norm_eval=True,
        norm_cfg=dict(type='BN', requires_grad=True),
    ),
    head=dict(type='CAMHead', num_classes=3, in_channels=32),
)
model = dict(
    type='AMRClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=branch,
    compensation=dict(**branch, modulation=dict(layers=r'layer[34]\.\d\.bn2', amm=dict(type='AMM'))),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='Resize', scale=(48, 48)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [dict(type='LoadImage'), dict(type='mmpretrain.PackInputs', meta_keys=meta_keys)]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train.txt',
        metainfo=metainfo,
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    batch_sampler=dict(type='SameSizeBatchSampler'),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/trainval.txt',
        mask_dir='SegmentationClass',
        metainfo=metainfo,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_cfg = dict(type='CAMLoop', scales=(1.0, 0.5))
test_evaluator = dict(type='CAMMetric')

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
param_scheduler = [dict(type='PolyLR', power=0.9, end=2, by_epoch=True, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=2)
auto_scale_lr = dict(base_batch_size=16, enable=False)
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', interval=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    randomness=dict(type='ResumableRandomnessHook'),
)
randomness = dict(seed=0)
