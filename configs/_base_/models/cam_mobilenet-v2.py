# The plain CAM classifier on MobileNetV2 at output stride 16; BatchNorm and the layers up to layer4 stay fixed.
branch = dict(
    backbone=dict(
        type='mmseg.MobileNetV2',
        out_indices=(6,),
        strides=(1, 2, 2, 2, 1, 1, 1),
        frozen_stages=4,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(
            type='StrictPretrained',
            checkpoint='{{$MMAMR_MOBILENET_V2:checkpoints/mobilenet_v2.pth}}',
            prefix='backbone.',
            unused=('conv2.',),
        ),
    ),
    head=dict(type='CAMHead', num_classes=20, in_channels=320),
)
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=branch,
)
class_heads = dict(foreground=['model.spotlight.head'])
