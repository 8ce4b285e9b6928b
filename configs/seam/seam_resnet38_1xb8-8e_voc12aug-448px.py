# SEAM on WideResNet-38 at output stride 8, as released: norms and the first two stages fixed. MMAMR_RESNET38 names the
# ImageNet weights, tools/model_converters/resnet38.py makes them.
_base_ = '../amr/cam_resnet50_1xb16-8e_voc12aug-512px.py'
backbone = dict(
    type='WideResNet38',
    frozen_stages=1,
    norm_cfg=dict(type='BN', requires_grad=False),
    norm_eval=True,
    init_cfg=dict(type='StrictPretrained', checkpoint='{{$MMAMR_RESNET38:checkpoints/resnet38.pth}}'),
)
model = dict(
    spotlight=dict(
        _delete_=True,
        type='SEAMBranch',
        backbone=dict(**backbone, out_indices=(2, 3, 5)),
        head=dict(type='SEAMHead', num_classes=20, in_channels=(512, 1024, 4096)),
        scale=0.3,
        loss=dict(type='SEAMLoss'),
    ),
)
# SEAM's scales, crops and colours: long side 448 to 768, 448 px, jitter.
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
# 8 epochs of batches of 8, poly 0.9, new layers ten times faster. The released optimiser takes weight decay where SGD
# takes momentum, so it has none to speak of (5e-4).
optim_wrapper = dict(
    optimizer=dict(momentum=0.0, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
test_cfg = dict(scales=(0.5, 1.0, 1.5, 2.0))
auto_scale_lr = dict(base_batch_size=8)
