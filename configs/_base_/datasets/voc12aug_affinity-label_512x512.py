# The 10,582 images of VOC 2012 with SBD, and the affinity labels that were made of their CAMs.
data_root = '{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}'
label_dir = 'work_dirs/voc12aug/affinity_label'
crop_size = (512, 512)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # Photos of VOC have a long side of 500, so this is their own size, halved to one and a half.
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=crop_size),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='AffinityLabelDataset',
        data_root=data_root,
        split='ImageSets/Segmentation/train_aug.txt',
        label_dir=label_dir,
        pipeline=train_pipeline,
    ),
)

# The photos whose CAMs walk, at their own size; `mask_dir` is for the measurement only.
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmseg.PackSegInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
]
test_dataloader = dict(
    batch_size=8,
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
