# What AMR's settings on voc07-mini were chosen from: measured on train, val is not looked at.
_base_ = './amr_gain_voc07-mini.py'
title = 'Tuning AMR on the training photos of voc07-mini, MobileNetV2: weighted CAMs'
splits = dict(_delete_=True, train='ImageSets/Segmentation/train.txt')
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
layers = 'model.compensation.modulation.layers'
weight = 'model.loss_cps.loss_weight'
amm_rate = 'optim_wrapper.paramwise_cfg.custom_keys.amm.lr_mult'
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'),
    amr=dict(config=amr),
    without_cps=dict(config=amr, options={'model.loss_cps': None}),
    cps_002=dict(config=amr, options={weight: 0.02}),
    cps_005=dict(config=amr, options={weight: 0.05}),
    slow_3=dict(config=amr, options={amm_rate: 3.}),
    slow_1=dict(config=amr, options={amm_rate: 1.}),
    slow_1_cps_005=dict(config=amr, options={amm_rate: 1., weight: 0.05}),
    last=dict(config=amr, options={layers: r'layer6\.[12]\.conv\.2'}),
    last_cps_005=dict(config=amr, options={layers: r'layer6\.[12]\.conv\.2', weight: 0.05}),
    single_cps_005=dict(config=amr, options={layers: r'layer6\.2\.conv\.2', weight: 0.05}),
    single_cps_02=dict(config=amr, options={layers: r'layer6\.2\.conv\.2'}))
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR as on voc-animals: L_cps of weight 0.2, AMM learns at ten times the rate", run='amr', cam='weighted'),
    dict(name='no L_cps', run='without_cps', cam='weighted'),
    dict(name='L_cps of weight 0.02', run='cps_002', cam='weighted'),
    dict(name='L_cps of weight 0.05', run='cps_005', cam='weighted'),
    dict(name='AMM at three times the rate', run='slow_3', cam='weighted'),
    dict(name='AMM at the rate', run='slow_1', cam='weighted'),
    dict(name='AMM at the rate, L_cps of weight 0.05', run='slow_1_cps_005', cam='weighted'),
    dict(name='AMM in the later of its two stages only', run='last', cam='weighted'),
    dict(name='AMM in the later stage only, L_cps of weight 0.05', run='last_cps_005', cam='weighted'),
    dict(name='AMM in the last block that has one only, L_cps of weight 0.05', run='single_cps_005', cam='weighted'),
    dict(name='AMM in the last block that has one only', run='single_cps_02', cam='weighted'),
]
