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
# The recipe, for a few hundred photos on two CPU cores: 4 epochs, new layers at ten times the learning rate, two scales.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=4, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg = dict()
test_cfg = dict(type='CAMLoop', scales=(0.75, 1.25))
test_evaluator = dict(type='CAMMetric', xis=(0.1, 0.3, 0.5, 0.7, 0.9))
# The CAMs of the same four images after each epoch, in TensorBoard and vis_data/vis_image.
custom_hooks = [dict(type='CAMVisualizationHook', num=4)]
