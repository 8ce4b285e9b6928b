# As voc12aug_512px.py, with three 128 px squares painted over: the released AMR trains its plain CAM classifier so.
_base_ = './voc12aug_512px.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomLongSideResize', long_side=(320, 640), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomCropPad', size=512),
    dict(type='RandomSquareErase', num=3, size=128),
    dict(type='mmpretrain.PackInputs', meta_keys=_base_.meta_keys),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
