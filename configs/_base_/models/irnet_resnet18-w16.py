# IRNet on the narrow ResNet-18 of the embedded data set, the last stage at stride 16.
radius = 5
backbone = dict(
    type='mmseg.ResNet',
    depth=18,
    base_channels=16,
    stem_channels=16,
    strides=(1, 2, 2, 1),
    dilations=(1, 1, 1, 1),
    norm_eval=True,
)
data_preprocessor = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(96, 96),
)
levels = dict(in_channels=(16, 16, 32, 64, 128), strides=(4, 4, 8, 16, 16))
model = dict(
    type='IRNet',
    data_preprocessor=data_preprocessor,
    backbone=backbone,
    taps=('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
    edge_head=dict(type='EdgeHead', loss_affinity=dict(type='PathAffinityLoss', radius=radius), **levels),
    displacement_head=dict(
        type='DisplacementHead',
        channels=(16, 32, 32, 32, 32),
        merged_channels=32,
        loss_displacement=dict(type='DisplacementLoss', radius=radius),
        **levels,
    ),
    walk_cfg=dict(radius=5, beta=10, exp_times=6),
)
