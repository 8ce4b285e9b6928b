_base_ = './table3_voc-animals.py'
title = 'Table 3 on voc07-mini, MobileNetV2: weighted CAMs'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    channel=dict(config=amr, options={'model.compensation.modulation.amm.spatial': None, 'model.loss_cps': None}),
    spatial=dict(config=amr, options={'model.compensation.modulation.amm.channel': None, 'model.loss_cps': None}),
    both=dict(config=amr, options={'model.loss_cps': None}),
    amr=dict(config=amr),
)
