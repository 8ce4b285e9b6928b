# As voc12aug_512px.py, with the scales, crops and colours of SEAM: long side 448 to 768, 448 px, jitter.
_base_ = './voc12aug_512px.py'

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='RandomLongSideResize', long_side=(448, 768), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmpretrain.ColorJitter', brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1, backend='pillow'),
    dict(type='RandomCropPad', size=448),
    dict(type='mmpretrain.PackInputs', meta_keys=_base_.meta_keys),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=8)
# CAMs are made at up to twice the size, with the similarity of all pairs of pixels.
test_dataloader = dict(batch_size=1)
