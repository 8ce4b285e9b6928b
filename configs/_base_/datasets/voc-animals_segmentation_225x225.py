# Five classes of PASCAL VOC; `data_prefix.seg_map_path` says whose labels train.
dataset_type = 'mmamr.SegmentationDataset'
data_root = '{{$MMAMR_VOC_ANIMALS:../shared/data/voc-animals}}'
metainfo = dict(classes=('cat', 'cow', 'dog', 'horse', 'sheep'), mask_values=(8, 10, 12, 13, 17))
crop_size = (225, 225)
train_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='mmamr.LoadMask'),
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=r, keep_ratio=True)] for r in (0.5, 0.75, 1.0, 1.25, 1.5)],
    ),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        metainfo=metainfo,
        ann_file='ImageSets/Segmentation/train.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassPseudo'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        metainfo=metainfo,
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='mmamr.SegmentationMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
