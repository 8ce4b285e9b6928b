_base_ = './table3_voc07-mini.py'
title = 'Table 3 on the embedded data set: weighted CAMs'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    plain=dict(config='../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'),
    channel=dict(config=amr),
    spatial=dict(config=amr),
    both=dict(config=amr),
    amr=dict(config=amr),
)
