# AMR as the released code computes it, its slips included (rows A1-A5, T1, T3, T4, T9 of
# docs/paper-and-released-code.md): AMM in every bottleneck, the density form of the Gaussian over the whole batch, a
# frozen spotlight.
_base_ = './cam_resnet50-d16.py'
amm = dict(
    type='AMM',
    channel=dict(layer='mlp', reduction=16),
    spatial=dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01), batch_stats_in_eval=True),
    function=dict(type='GaussianModulation', form='pdf', statistics='batch', unbiased=True))
model = dict(
    type='AMRClassifier',
    compensation=dict(
        **_base_.branch, modulation=dict(layers=r'layer[1-4]\.\d+\.bn3', amm=amm), detach_after='layer1'),
    frozen_spotlight=True,
    loss_cls=dict(type='MultiLabelSoftMarginLoss'),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.05))
find_unused_parameters = True
