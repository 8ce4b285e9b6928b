_base_ = './training_voc07-mini.py'
title = 'AMR\'s training one choice at a time on the embedded data set: weighted CAMs'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    plain=dict(config='../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'),
    amr=dict(config=amr),
    frozen=dict(config=amr),
    detach=dict(config=amr, options={'model.compensation.detach_after': 'layer3'}),
    cps_1=dict(config=amr),
    cps_released=dict(config=amr),
    cps_present=dict(config=amr),
    cps_first_pair=dict(config=amr))
