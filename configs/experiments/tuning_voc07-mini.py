# What AMR's settings on voc07-mini were chosen from: measured on train, val is not looked at.
_base_ = './_base_/voc07-mini.py'
title = f'Tuning AMR on the training photos of {_base_.where}: weighted CAMs'
splits = dict(_delete_=True, train='ImageSets/Segmentation/train.txt')
amr = _base_.amr
layers = 'model.compensation.modulation.layers'
weight = 'model.loss_cps.loss_weight'
amm_rate = 'optim_wrapper.paramwise_cfg.custom_keys.amm.lr_mult'
both = {layers: r'layer[56]\.[12]\.conv\.2'}
single = {layers: r'layer6\.2\.conv\.2'}
runs = dict(
    plain=dict(config=_base_.plain),
    both_stages=dict(config=amr, options={**both, weight: 0.2}),
    without_cps=dict(config=amr, options={**both, 'model.loss_cps': None}),
    cps_002=dict(config=amr, options={**both, weight: 0.02}),
    cps_005=dict(config=amr, options={**both, weight: 0.05}),
    slow_3=dict(config=amr, options={**both, weight: 0.2, amm_rate: 3.0}),
    slow_1=dict(config=amr, options={**both, weight: 0.2, amm_rate: 1.0}),
    slow_1_cps_005=dict(config=amr, options={**both, weight: 0.05, amm_rate: 1.0}),
    last=dict(config=amr, options={weight: 0.2}),
    amr=dict(config=amr),
    single=dict(config=amr, options={**single, weight: 0.2}),
    single_cps_005=dict(config=amr, options=single),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='AMM in both stages, L_cps of weight 0.2, as on voc-animals', run='both_stages', cam='weighted'),
    dict(name='no L_cps', run='without_cps', cam='weighted'),
    dict(name='L_cps of weight 0.02', run='cps_002', cam='weighted'),
    dict(name='L_cps of weight 0.05', run='cps_005', cam='weighted'),
    dict(name='L_cps of weight 0.2, AMM learns at 3 times the rate, not 10', run='slow_3', cam='weighted'),
    dict(name='L_cps of weight 0.2, AMM learns at the rate', run='slow_1', cam='weighted'),
    dict(name='L_cps of weight 0.05, AMM learns at the rate', run='slow_1_cps_005', cam='weighted'),
    dict(name='AMM in the later stage only, L_cps of weight 0.2', run='last', cam='weighted'),
    dict(name="AMM in the later stage only, L_cps of weight 0.05: AMR's default here", run='amr', cam='weighted'),
    dict(name='AMM in one block only, L_cps of weight 0.2', run='single', cam='weighted'),
    dict(name='AMM in one block only, L_cps of weight 0.05', run='single_cps_005', cam='weighted'),
]
