# The first of the released code's two runs: a plain CAM classifier with a frozen stem. Three 128 px squares of each
# image are painted over.
_base_ = './cam_resnet50_1xb16-8e_voc12aug-512px.py'
model = dict(spotlight=dict(backbone=dict(frozen_stages=0)))
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomLongSideResize', long_side=(320, 640), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', size=512),
    dict(type='RandomSquareErase', num=3, size=128),
    dict(type='mmpretrain.PackInputs', meta_keys=_base_.meta_keys),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# Row T6: the weight decay arrives where SGD takes its momentum, and in its own place through the groups. Row T7: rates.
optim_wrapper = dict(
    optimizer=dict(lr=0.01, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0)}),
)
test_dataloader = dict(batch_size=1)
