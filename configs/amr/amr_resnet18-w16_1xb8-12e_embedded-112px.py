# AMR on the narrow ResNet-18: AMM behind the last norm of each residual branch of the last two stages.
_base_ = './cam_resnet18-w16_1xb8-12e_embedded-112px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, modulation=dict(layers=r'layer[34]\.\d+\.bn2', amm=dict(type='AMM'))),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.05),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
