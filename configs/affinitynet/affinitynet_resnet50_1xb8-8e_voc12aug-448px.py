_base_ = [
    '../_base_/models/affinitynet_resnet50.py',
    '../_base_/datasets/voc12aug_affinity.py',
    '../_base_/default_runtime.py',
]
# Photos are not scaled.
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadMask'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(448, 448)),
    dict(type='mmseg.PhotoMetricDistortion'),
    dict(type='mmseg.PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(label_dir='work_dirs/affinitynet_affinity-label_voc12aug/affinity_labels', pipeline=train_pipeline),
)
