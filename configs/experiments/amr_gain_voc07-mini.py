_base_ = './amr_gain_voc-animals.py'
title = 'CAMs on voc07-mini, MobileNetV2'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
without = {'model.compensation.modulation': None}
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    without_amm=dict(config=amr, options=without),
    without_amm_cps_02=dict(config=amr, options={**without, 'model.loss_cps.loss_weight': 0.2}),
    amr=dict(config=amr),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='two branches without AMM, weighted', run='without_amm', cam='weighted'),
    dict(name='the same, L_cps of weight 0.2, weighted', run='without_amm_cps_02', cam='weighted'),
    dict(name='AMR, spotlight', run='amr', cam='spotlight'),
    dict(name='AMR, compensation', run='amr', cam='compensation'),
    dict(name='AMR, weighted', run='amr', cam='weighted'),
]
