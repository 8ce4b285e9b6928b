# The embedded data set; `data_prefix.seg_map_path` says whose labels train.
dataset_type = 'mmamr.EmbeddedSegmentationDataset'
crop_size = (96, 96)
train_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='mmamr.LoadMask'),
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=scale, keep_ratio=True)] for scale in (1.0, 1.25, 1.5)],
    ),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        ann_file='ImageSets/Segmentation/train.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassPseudo'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmamr.SegmentationMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
