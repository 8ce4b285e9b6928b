# In the hundred steps that two hundred photos are, AMM behind fewer layers and a weaker L_cps do better than what
# voc-animals has.
_base_ = './cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, modulation=dict(layers=r'layer6\.[12]\.conv\.2', amm=dict(type='AMM'))),
    # the frozen layers, the same in both
    shared_layers=('conv1', 'layer[1-4]'),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.05, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
