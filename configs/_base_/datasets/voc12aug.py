# VOC 2012 with the 10,582 images of the augmented list (made by tools/dataset_converters/sbd.py), random scale and 512
# px crops as the released AMR trains. CAMs are made of all of them at their own size, and measured on the 1,464 that
# VOC's SegmentationClass has.
data_root = '{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}'
meta_keys = ('img_id', 'img_path', 'seg_map_path', 'ori_shape', 'img_shape')

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomLongSideResize', long_side=(320, 640), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', size=512),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='Resize', scale=(512, 512)),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmpretrain.PackInputs', meta_keys=meta_keys),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train_aug.txt',
        labels=dict(type='VOCXMLLabels', difficult=True),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/val.txt',
        labels=dict(type='VOCXMLLabels', difficult=True),
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
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    batch_sampler=dict(type='SameSizeBatchSampler'),
    dataset=dict(
        type='ImageLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClass',
        partial_masks=True,
        labels=dict(type='VOCXMLLabels', difficult=True),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
