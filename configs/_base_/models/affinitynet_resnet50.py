# AffinityNet on ResNet-50 at stride 8; the original has WideResNet-38 or VGG-16, at stride 8 too.
radius = 5
data_preprocessor = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    # After normalisation, 0 is ImageNet's mean.
    pad_val=0,
    seg_pad_val=255,
    size=(448, 448),
)
model = dict(
    type='AffinityNet',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=50,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    stride=8,
    head=dict(
        type='AffinityHead',
        in_channels=(512, 1024, 2048),
        channels=(64, 128, 256),
        loss_affinity=dict(type='FeatureAffinityLoss', radius=radius),
    ),
    walk_cfg=dict(radius=5, beta=8, exp_times=8),
)
# The recipe, as the released code: the head at ten times the rate, no momentum to speak of.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.0, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8)
# Then the walk of the CAMs of cam_dir; the background walks along, to each of these powers.
test_cfg = dict(type='WalkLoop', cam_dir=None, powers=(4.0, 8.0, 16.0, 24.0, 32.0))
test_evaluator = dict(type='CAMMetric', threshold=16.0, prefix='walk')
