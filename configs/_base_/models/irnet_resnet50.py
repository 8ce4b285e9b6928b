# IRNet on ResNet-50 with the last stage at stride 16, as released.
radius = 10
data_preprocessor = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    # After normalisation, 0 is ImageNet's mean.
    pad_val=0,
    seg_pad_val=255,
    size=(512, 512),
)
model = dict(
    type='IRNet',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='mmpretrain.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    taps=('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
    edge_head=dict(
        type='EdgeHead',
        in_channels=(64, 256, 512, 1024, 2048),
        strides=(4, 4, 8, 16, 16),
        loss_affinity=dict(type='PathAffinityLoss', radius=radius),
    ),
    displacement_head=dict(
        type='DisplacementHead',
        in_channels=(64, 256, 512, 1024, 2048),
        strides=(4, 4, 8, 16, 16),
        channels=(64, 128, 256, 256, 256),
        loss_displacement=dict(type='DisplacementLoss', radius=radius),
    ),
    walk_cfg=dict(radius=5, beta=10, exp_times=8),
)
