# IRNet on the narrow ResNet-18 of the embedded data set, the last stage at stride 16.
_base_ = [
    '../_base_/datasets/embedded_affinity.py',
    '../_base_/schedules/irnet_3e.py',
    '../_base_/default_runtime.py',
]
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
    # 2⁵ steps: at stride 4 these pictures are 24 to 32 cells wide, and 2⁸ steps cross them.
    walk_cfg=dict(radius=5, beta=10, exp_times=5),
)
optim_wrapper = dict(optimizer=dict(lr=0.1, momentum=0.9))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=16, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=16)
test_evaluator = dict(threshold=0.15)
