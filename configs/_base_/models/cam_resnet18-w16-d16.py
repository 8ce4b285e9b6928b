# A narrow ResNet-18 at output stride 16 for the embedded data set; learns from scratch in half a minute.
branch = dict(
    backbone=dict(
        type='mmseg.ResNet',
        depth=18,
        base_channels=16,
        stem_channels=16,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        out_indices=(3,),
    ),
    head=dict(type='CAMHead', num_classes=7, in_channels=128),
)
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=branch,
)
