_base_ = './amr_gain_voc-animals.py'
title = 'CAMs on voc07-mini, MobileNetV2'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    without_amm=dict(config=amr, options={'model.compensation.modulation': None}),
    amr=dict(config=amr))
