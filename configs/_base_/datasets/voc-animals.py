# The cats, cows, dogs, horses and sheep of VOC at a long side of 320 px: 800 photographs to train with and to make CAMs
# of, 200 to validate on. MMAMR_VOC_ANIMALS names the folder.
data_root = '{{$MMAMR_VOC_ANIMALS:data/voc-animals}}'
metainfo = dict(classes=('cat', 'cow', 'dog', 'horse', 'sheep'), mask_values=(8, 10, 12, 13, 17))
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape')

train_pipeline = [
    dict(type='LoadImage'),
    dict(
        type='mmpretrain.RandomResizedCrop',
        scale=225,
        crop_ratio_range=(0.5, 1.0),
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='Resize', scale=(225, 225), interpolation='bicubic', backend='pillow'),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train.txt',
        metainfo=metainfo,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/val.txt',
        metainfo=metainfo,
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
val_evaluator = [
    dict(type='mmamr.AveragePrecision'),
    dict(type='mmpretrain.MultiLabelMetric', average='macro', thr=0.5),
]

test_dataloader = dict(
    batch_size=16,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    batch_sampler=dict(type='SameSizeBatchSampler'),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train.txt',
        mask_dir='SegmentationClass',
        metainfo=metainfo,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
