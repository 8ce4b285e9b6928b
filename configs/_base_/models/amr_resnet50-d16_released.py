# AMR as the released code computes it, its slips included (rows A1-A5, T1, T3-T5 of
# docs/paper-and-released-code.md): AMM in every bottleneck, the density form of the Gaussian over the whole batch, a
# frozen spotlight, L_cps of one pair a batch. Row T9, AMM's BatchNorm in training mode even when CAMs are made, is an option of its own,
# `amm.spatial.batch_stats_in_eval=True`: amr_resnet50-released_batch-stats-in-eval_1xb16-8e_voc12aug-512px.py.
_base_ = './cam_resnet50-d16.py'
amm = dict(
    type='AMM',
    channel=dict(layer='mlp', reduction=16),
    spatial=dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01)),
    function=dict(type='GaussianModulation', form='pdf', statistics='batch', unbiased=True),
)
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.branch, modulation=dict(layers=r'layer[1-4]\.\d+\.bn3', amm=amm), detach_after='layer1'),
    frozen_spotlight=True,
    loss_cls=dict(type='MultiLabelSoftMarginLoss'),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.05, samples='first-pair'),
)
find_unused_parameters = True
