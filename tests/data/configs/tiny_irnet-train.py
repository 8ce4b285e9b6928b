# IRNet at its smallest: trained on affinity labels, and then the walk.
_base_ = './tiny_irnet.py'
model = dict(data_preprocessor=dict(size=(48, 48)))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='AffinityLabelDataset',
        data_root=_base_.data_root,
        split='ImageSets/Segmentation/trainval.txt',
        metainfo=_base_.metainfo,
        label_dir='affinity_labels',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadMask'),
            dict(type='Resize', scale=(48, 48)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='mmseg.PackSegInputs'),
        ],
    )
)
custom_hooks = [dict(type='MeanDisplacementHook')]
