_base_ = './amr_gain_voc-animals.py'
title = 'CAMs on the embedded data set'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    plain=dict(config='../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'),
    without_amm=dict(config=amr, options={'model.compensation.modulation': None}),
    amr=dict(config=amr),
)
