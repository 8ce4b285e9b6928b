# SEAM is the spotlight; the compensation branch is that of amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py.
_base_ = './seam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
model = dict(
    type='AMRClassifier',
    compensation=dict(
        backbone=dict(**_base_.branch.backbone),
        head=dict(type='CAMHead', num_classes=5, in_channels=320),
        modulation=dict(layers=r'layer[56]\.[12]\.conv\.2', amm=dict(type='AMM')),
    ),
    # the frozen layers, the same in both
    shared_layers=('conv1', 'layer[1-4]'),
    # Twice L_cls of the paper: each branch then learns at the rate of the plain classifier.
    loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=2.0),
    loss_cps=dict(type='CrossPseudoSupervisionLoss', loss_weight=0.2, relu=False),
)
class_heads = dict(foreground=['model.spotlight.head', 'model.compensation.head'])
