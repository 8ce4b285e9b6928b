# AffinityNet at its smallest: trained on affinity labels, and then the walk.
_base_ = './tiny_irnet-train.py'
model = dict(
    _delete_=True,
    type='AffinityNet',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(48, 48),
    ),
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=18,
        stem_channels=4,
        base_channels=4,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_stages=1,
        norm_eval=True,
    ),
    head=dict(
        type='AffinityHead',
        in_channels=(8, 16, 32),
        channels=(4, 4, 4),
        loss_affinity=dict(type='FeatureAffinityLoss', radius=3),
    ),
    walk_cfg=dict(radius=3, beta=8, exp_times=4),
)
custom_hooks = None
