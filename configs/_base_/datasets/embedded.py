# The embedded data set, which draws itself into the cache at its first use: 400 pictures of about 112 px to train with
# and to make CAMs of, 100 to validate on. MMAMR_CACHE names the cache.
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape')

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', size=112),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='Resize', scale=(112, 112), interpolation='bicubic', backend='pillow'),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='EmbeddedDataset', split='ImageSets/Segmentation/train.txt', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='EmbeddedDataset', split='ImageSets/Segmentation/val.txt', test_mode=True, pipeline=val_pipeline),
)
val_evaluator = [
    dict(type='mmamr.AveragePrecision'),
    dict(type='mmpretrain.MultiLabelMetric', average='macro', thr=0.5),
]

test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    batch_sampler=dict(type='SameSizeBatchSampler'),
    dataset=dict(
        type='EmbeddedDataset',
        split='ImageSets/Segmentation/train.txt',
        mask_dir='SegmentationClass',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
