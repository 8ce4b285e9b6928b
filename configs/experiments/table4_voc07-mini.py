_base_ = './table4_voc-animals.py'
title = 'Table 4 on voc07-mini, MobileNetV2: weighted CAMs'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    threshold=dict(config=amr, options={'model.compensation.modulation.amm.function.type': 'ThresholdModulation'}),
    amr=dict(config=amr),
)
