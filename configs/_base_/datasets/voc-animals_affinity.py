# voc-animals with the affinity labels that were made of its CAMs.
_base_ = './voc-animals.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # The photos have a long side of 320.
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.75, 1.25), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(257, 257)),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    drop_last=True,
    dataset=dict(
        type='AffinityLabelDataset',
        # the folder that irnet_affinity-label_voc-animals.py fills when it runs alone
        label_dir='work_dirs/irnet_affinity-label_voc-animals/affinity_labels',
        pipeline=train_pipeline,
    ),
)
val_dataloader = val_evaluator = None

# The photos whose CAMs walk, at their own size.
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='mmseg.PackSegInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
