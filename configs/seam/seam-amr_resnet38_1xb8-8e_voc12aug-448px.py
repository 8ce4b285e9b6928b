# SEAM is the spotlight; the compensation branch is the plain classifier with AMM behind the last convolution of each
# residual branch of b5, b6 and b7.
_base_ = './seam_resnet38_1xb8-8e_voc12aug-448px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(
        backbone=dict(**_base_.backbone),
        head=dict(type='CAMHead', num_classes=20, in_channels=4096),
        modulation=dict(layers=[r'b5(_\d)?\.conv_branch2b1', r'b[67]\.conv_branch2b2'], amm=dict(type='AMM')),
    ),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
