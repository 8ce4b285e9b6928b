# The plain CAM classifier on ResNet-50 at output stride 16, BatchNorm in evaluation mode, as AMR and IRNet have it.
branch = dict(
    backbone=dict(
        type='mmseg.ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        out_indices=(3,),
        style='pytorch',
        norm_eval=True,
        init_cfg=dict(type='StrictPretrained', checkpoint='torchvision://resnet50', unused=('fc.',)),
    ),
    head=dict(type='CAMHead', num_classes=20, in_channels=2048),
)
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=branch,
)
