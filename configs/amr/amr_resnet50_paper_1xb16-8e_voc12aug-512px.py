# AMR as the paper describes it: AMM after stages 1, 2 and 3 of the compensation branch (Figure 2), both branches
# supervised, L_cps of weight 1. The text does not say whom L_cps moves. Both branches, and they shrink their maps until
# these agree, and learn nothing; so the spotlight is a fixed target ("force it close to spotlight CAMs", introduction).
# All readings: configs/experiments/readings.py.
_base_ = './cam_resnet50_1xb16-8e_voc12aug-512px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(**_base_.model.spotlight, modulation=dict(layers='layer[1-3]', amm=dict(type='AMM'))),
    loss_cls=dict(type='MultiLabelSoftMarginLoss'),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=1.0, relu=False, detach='spotlight'),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
