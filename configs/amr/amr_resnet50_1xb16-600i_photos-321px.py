# AMR on ResNet-50 for one's own photos on a GPU: the model and rates of VOC 2012, as long in steps for any number of photos.
_base_ = './cam_efficientnet-lite2_1xb8-120i_photos-225px.py'
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
    head=dict(type='CAMHead', num_classes=1, in_channels=2048),
)
model = dict(
    _delete_=True,
    type='AMRClassifier',
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    spotlight=branch,
    # AMM behind the last norm of each residual branch of the last two stages
    compensation=dict(**branch, modulation=dict(layers=r'layer[34]\.\d+\.bn3', amm=dict(type='AMM'))),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
crop, larger = dict(scale=321), dict(max_long_side=500)
train_pipeline = _base_.train_pipeline
train_pipeline[1].update(crop)
val_pipeline = _base_.val_pipeline
val_pipeline[1].update(scale=(321, 321))
train_dataloader = dict(batch_size=16, num_workers=4, dataset=dict(**larger, pipeline=train_pipeline))
val_dataloader = dict(num_workers=4, dataset=dict(**larger, pipeline=val_pipeline))
test_dataloader = dict(num_workers=4, dataset=larger)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'amm': dict(lr_mult=10.0)}))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=600, by_epoch=False)]
train_cfg = dict(max_iters=600, val_interval=600)
default_hooks = dict(checkpoint=dict(interval=300))
test_cfg = dict(scales=(1.0, 0.5, 1.5, 2.0))
