# The embedded data set, and the affinity labels that were made of its CAMs.
label_dir = 'work_dirs/embedded/affinity_label'
crop_size = (96, 96)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # The short side is never less than the crop.
    dict(type='RandomResize', scale=(128, 128), ratio_range=(1.0, 1.4), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=crop_size),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='EmbeddedAffinityLabelDataset',
        split='ImageSets/Segmentation/train.txt',
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
