_base_ = './table4_voc07-mini.py'
title = 'Table 4 on the embedded data set: weighted CAMs'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    plain=dict(config='../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'),
    threshold=dict(config=amr),
    amr=dict(config=amr),
)
