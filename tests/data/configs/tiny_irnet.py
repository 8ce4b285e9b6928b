_base_ = './tiny_amr.py'
class_heads = None
levels = dict(in_channels=(4, 4, 8, 16, 32), strides=(4, 4, 8, 16, 16))
model = dict(
    _delete_=True,
    type='IRNet',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4, strides=(1, 2, 2, 1)),
    taps=('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
    edge_head=dict(type='EdgeHead', loss_affinity=dict(type='PathAffinityLoss', radius=4), **levels),
    displacement_head=dict(
        type='DisplacementHead',
        channels=(8, 8, 8, 8, 8),
        merged_channels=8,
        loss_displacement=dict(type='DisplacementLoss', radius=4),
        **levels,
    ),
    walk_cfg=dict(radius=3, beta=10, exp_times=4),
)
test_cfg = dict(_delete_=True, type='WalkLoop', cam_dir='{{$MMAMR_TINY_CAMS:cams}}')
test_evaluator = dict(type='CAMMetric')
