_base_ = './advcam_voc07-mini.py'
title = 'AdvCAM on the embedded data set'
plain = '../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    plain=dict(config=plain),
    amr=dict(config=amr),
    plain_climbed=dict(config=plain),
    amr_climbed=dict(config=amr))
