_base_ = './training_voc-animals.py'
title = "AMR's training one choice at a time on voc07-mini, MobileNetV2: weighted CAMs"
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    amr=dict(config=amr),
    frozen=dict(config=amr, options={'model.frozen_spotlight': True}),
    detach=dict(config=amr, options={'model.compensation.detach_after': r'layer6\.1'}),
    cps_1=dict(config=amr, options={'model.loss_cps.loss_weight': 1.0}),
    cps_released=dict(config=amr, options={'model.loss_cps.loss_weight': 0.05, 'model.loss_cps.relu': True}),
    cps_present=dict(config=amr, options={'model.loss_cps.loss_weight': 0.02, 'model.loss_cps.classes': 'present'}),
    cps_first_pair=dict(config=amr, options={'model.loss_cps.samples': 'first-pair'}),
)
