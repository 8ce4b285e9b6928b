# AMR's default here: what did best on small data (configs/amr/README.md). AMM behind the last norm of each residual branch of the
# last two stages, statistics of each sample, both branches at the rate of the plain classifier, L_cps on maps before ReLU.
_base_ = './cam_resnet50-d16.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.branch, modulation=dict(layers=r'layer[34]\.\d+\.bn3', amm=dict(type='AMM'))),
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
