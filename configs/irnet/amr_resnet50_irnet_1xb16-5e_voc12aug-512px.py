# AMR on IRNet's own classifier: AMM behind the last norm of each residual branch that is trained.
_base_ = './cam_resnet50_irnet_1xb16-5e_voc12aug-512px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, modulation=dict(layers=r'layer[34]\.\d+\.bn3', amm=dict(type='AMM'))),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
