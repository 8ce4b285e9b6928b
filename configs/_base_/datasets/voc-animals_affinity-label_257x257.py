# Five classes of PASCAL VOC, and the affinity labels that were made of their CAMs.
data_root = '{{$MMAMR_VOC_ANIMALS:../shared/data/voc-animals}}'
metainfo = dict(classes=('cat', 'cow', 'dog', 'horse', 'sheep'), mask_values=(8, 10, 12, 13, 17))
label_dir = 'work_dirs/voc-animals/affinity_label'
crop_size = (257, 257)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # The photos have a long side of 320.
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.75, 1.25), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=crop_size),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='AffinityLabelDataset',
        data_root=data_root,
        metainfo=metainfo,
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
