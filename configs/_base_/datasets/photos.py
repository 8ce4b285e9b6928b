# One's own photos, in VOC's layout with a table of tags: JPEGImages, ImageSets/Segmentation/{train,val}.txt, labels.csv.
# `tools/train.py … --data-root FOLDER` puts any folder in the place of this one, and its classes.
data_root = 'data/photos'
metainfo = dict(classes=('thing',), mask_values=(1,))
labels = dict(type='CSVLabels', file='labels.csv')
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
test_pipeline = [dict(type='LoadImage'), dict(type='mmpretrain.PackInputs', meta_keys=meta_keys)]

# Larger photos are worked on at this long side in every stage; CAMs and masks have the size of the photo.
max_long_side = 400
dataset = dict(
    type='ImageLabelDataset', data_root=data_root, labels=labels, metainfo=metainfo, max_long_side=max_long_side
)
# The number of steps is fixed, so that 100 photos and 1,000 take the same time.
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(**dataset, split='ImageSets/Segmentation/train.txt', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, split='ImageSets/Segmentation/val.txt', test_mode=True, pipeline=val_pipeline),
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
        **dataset,
        split='ImageSets/Segmentation/train.txt',
        mask_dir='SegmentationClass',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
