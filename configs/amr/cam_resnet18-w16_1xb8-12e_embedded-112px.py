# A narrow ResNet-18 at output stride 16 for the embedded data set; learns from scratch in half a minute: 12 epochs, new
# layers at ten times the learning rate, three scales.
_base_ = ['../_base_/datasets/embedded.py', '../_base_/default_runtime.py']
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=dict(
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
    ),
)
class_heads = dict(foreground=['model.spotlight.head'])
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=25),
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=12, by_epoch=True, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=12)
val_cfg = dict()
test_cfg = dict(type='CAMLoop', scales=(0.75, 1.0, 1.5))
test_evaluator = dict(type='CAMMetric', xis=(0.1, 0.3, 0.5, 0.7, 0.9))
# The CAMs of the same four images after each epoch, in TensorBoard and vis_data/vis_image.
custom_hooks = [dict(type='CAMVisualizationHook', num=4)]
