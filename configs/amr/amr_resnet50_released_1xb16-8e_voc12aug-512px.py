# The second of the released code's two runs, as it computes, its slips included (rows A1-A5, T1, T3-T5 of
# docs/advanced_guides/paper-and-released-code.md): AMM in every bottleneck, the density form of the
# Gaussian over the whole batch, a frozen spotlight, L_cps of one pair a batch. The spotlight is the classifier of
# cam_resnet50_released_1xb16-8e_voc12aug-512px.py: its checkpoint comes from the pipeline
# (amr_resnet50_released_irnet_deeplabv2-r101_voc12aug.py), or from --cfg-options load_from=CHECKPOINT.
# Row T9, AMM's BatchNorm in training mode even when CAMs are made, is an option:
# model.compensation.modulation.amm.spatial.batch_stats_in_eval=True.
_base_ = './cam_resnet50_1xb16-8e_voc12aug-512px.py'
amm = dict(
    type='AMM',
    channel=dict(layer='mlp', reduction=16),
    spatial=dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01)),
    function=dict(type='GaussianModulation', form='pdf', statistics='batch', unbiased=True),
)
model = dict(
    type='AMRClassifier',
    compensation=dict(
        **_base_.model.spotlight, modulation=dict(layers=r'layer[1-4]\.\d+\.bn3', amm=amm), detach_after='layer1'
    ),
    frozen_spotlight=True,
    loss_cls=dict(type='MultiLabelSoftMarginLoss'),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.05, samples='first-pair'),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
find_unused_parameters = True
# Row T6: the weight decay arrives where SGD takes its momentum, and in its own place through the groups. Row T7: rates.
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=0.1)}),
)
# Rows C1, C4: adversarial climbing.
test_cfg = dict(climb=dict(steps=27, step_size=0.08, coefficient=7.0, threshold=0.5, weighting='released'))
