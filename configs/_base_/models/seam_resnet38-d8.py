# SEAM on WideResNet-38 at output stride 8, as released: norms and the first two stages fixed. MMAMR_RESNET38 names the
# ImageNet weights, tools/model_converters/resnet38.py makes them.
backbone = dict(
    type='WideResNet38',
    frozen_stages=1,
    norm_cfg=dict(type='BN', requires_grad=False),
    norm_eval=True,
    init_cfg=dict(type='StrictPretrained', checkpoint='{{$MMAMR_RESNET38:checkpoints/resnet38.pth}}'),
)
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=dict(
        type='SEAMBranch',
        backbone=dict(**backbone, out_indices=(2, 3, 5)),
        head=dict(type='SEAMHead', num_classes=20, in_channels=(512, 1024, 4096)),
        scale=0.3,
        loss=dict(type='SEAMLoss'),
    ),
)
