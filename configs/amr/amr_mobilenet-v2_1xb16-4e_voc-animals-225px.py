# AMR on MobileNetV2: AMM behind the last norm of each residual branch that is trained.
_base_ = './cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(
        **_base_.model.spotlight, modulation=dict(layers=r'layer[56]\.[12]\.conv\.2', amm=dict(type='AMM'))
    ),
    # the frozen layers, the same in both
    shared_layers=('conv1', 'layer[1-4]'),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
