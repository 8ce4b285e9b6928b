# The 10,582 images of VOC 2012 with SBD, and the affinity labels that were made of their CAMs.
_base_ = './voc12aug.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # Photos of VOC have a long side of 500, so this is their own size, halved to one and a half.
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(512, 512)),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    num_workers=8,
    drop_last=True,
    dataset=dict(
        _delete_=True,
        type='AffinityLabelDataset',
        data_root=_base_.data_root,
        split='ImageSets/Segmentation/train_aug.txt',
        # the folder that irnet_affinity-label_voc12aug.py fills when it runs alone
        label_dir='work_dirs/irnet_affinity-label_voc12aug/affinity_labels',
        pipeline=train_pipeline,
    ),
)
val_dataloader = val_evaluator = None

# The photos whose CAMs walk, at their own size.
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmseg.PackSegInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
]
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=test_pipeline))
