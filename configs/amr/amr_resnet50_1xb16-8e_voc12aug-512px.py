# AMR's default here: what did best on small data (README.md). AMM behind the last norm of each residual branch of the
# last two stages, statistics of each sample, both branches at the rate of the plain classifier, L_cps on maps before
# ReLU.
_base_ = './cam_resnet50_1xb16-8e_voc12aug-512px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, modulation=dict(layers=r'layer[34]\.\d+\.bn3', amm=dict(type='AMM'))),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
# new layers at ten times the learning rate, as in the small configs and in the released plain classifier (row T7)
optim_wrapper = dict(
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
