# The embedded data set with the affinity labels that were made of its CAMs.
_base_ = './embedded.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    # The short side is never less than the crop.
    dict(type='RandomResize', scale=(128, 128), ratio_range=(1.0, 1.4), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(96, 96)),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    drop_last=True,
    dataset=dict(
        type='EmbeddedAffinityLabelDataset',
        # the folder that irnet_affinity-label_embedded.py fills when it runs alone
        label_dir='work_dirs/irnet_affinity-label_embedded/affinity_labels',
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
