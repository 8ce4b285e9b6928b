# AMR as the paper describes it: AMM after the last feature map, both branches supervised, L_cps of weight 1.
_base_ = './cam_resnet50_1xb16-8e_voc12aug-512px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, neck=dict(type='AMMNeck', in_channels=2048, amm=dict(type='AMM'))),
    loss_cls=dict(type='MultiLabelSoftMarginLoss'),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=1.0, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
