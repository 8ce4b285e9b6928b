# The 422 photographs of VOC 2007 with masks, of all 20 classes at full size: 205 to train with and to make CAMs of, 217
# to validate on. MMAMR_VOC07_MINI names the folder.
data_root = '{{$MMAMR_VOC07_MINI:../shared/data/voc07-mini}}'
num_classes = 20
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
        type='ImageLabelDataset', data_root=data_root, split='ImageSets/Segmentation/train.txt', pipeline=train_pipeline
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
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
val_evaluator = [
    dict(type='mmpretrain.AveragePrecision'),
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
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
