# What AMR's default was chosen from: measured on 200 photos of train, val is not looked at.
_base_ = './amr_gain_voc-animals.py'
title = 'Tuning AMR on 200 training photos of voc-animals, MobileNetV2: weighted CAMs'
splits = dict(_delete_=True, train='ImageSets/Segmentation/train.txt')
amr = '../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
plain = '../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
photos = {'test_dataloader.dataset.indices': 200}
layers = 'model.compensation.modulation.layers'
amm_rate = 'optim_wrapper.paramwise_cfg.custom_keys.amm.lr_mult'
rate = 'optim_wrapper.optimizer.lr'
without = {'model.compensation.modulation': None}
longer = {'train_cfg.max_epochs': 6, 'train_cfg.val_interval': 6, 'param_scheduler.0.end': 6}
runs = dict(
    _delete_=True,
    plain=dict(config=plain, options=photos),
    amr=dict(config=amr, options=photos),
    last=dict(config=amr, options={**photos, layers: r'layer6\.[12]\.conv\.2'}),
    first=dict(config=amr, options={**photos, layers: r'layer5\.[12]\.conv\.2'}),
    every=dict(config=amr, options={**photos, layers: r'layer[567]\.\d\.conv\.2'}),
    cps_low=dict(config=amr, options={**photos, 'model.loss_cps.loss_weight': 0.1}),
    cps_high=dict(config=amr, options={**photos, 'model.loss_cps.loss_weight': 0.4}),
    to_spotlight=dict(config=amr, options={**photos, 'model.loss_cps.detach': 'spotlight'}),
    to_compensation=dict(config=amr, options={**photos, 'model.loss_cps.detach': 'compensation'}),
    half=dict(config=amr, options={**photos, 'model.loss_cls.loss_weight': 1.0}),
    amm_slow=dict(config=amr, options={**photos, amm_rate: 3.0}),
    amm_fast=dict(config=amr, options={**photos, amm_rate: 30.0}),
    more=dict(config=amr, options={**photos, 'model.loss_cls.loss_weight': 4.0}),
    plain_fast=dict(config=plain, options={**photos, rate: 0.006}),
    without_amm=dict(config=amr, options={**photos, **without}),
    without_amm_cps_low=dict(config=amr, options={**photos, **without, 'model.loss_cps.loss_weight': 0.1}),
    without_amm_cps_high=dict(config=amr, options={**photos, **without, 'model.loss_cps.loss_weight': 0.4}),
    longer=dict(config=amr, options={**photos, **longer}),
    plain_longer=dict(config=plain, options={**photos, **longer}),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='AMM in the later of its two stages only', run='last', cam='weighted'),
    dict(name='AMM in the earlier one only', run='first', cam='weighted'),
    dict(name='AMM in every block that is trained', run='every', cam='weighted'),
    dict(name='L_cps of weight 0.1', run='cps_low', cam='weighted'),
    dict(name='L_cps of weight 0.4', run='cps_high', cam='weighted'),
    dict(name='L_cps pulls the compensation branch only', run='to_spotlight', cam='weighted'),
    dict(name='L_cps pulls the spotlight only', run='to_compensation', cam='weighted'),
    dict(name='half of L_cls a branch, as in eq. 10, not all of it', run='half', cam='weighted'),
    dict(name='AMM learns at 3 times the rate, not 10', run='amm_slow', cam='weighted'),
    dict(name='AMM learns at 30 times the rate', run='amm_fast', cam='weighted'),
    dict(name='twice L_cls a branch', run='more', cam='weighted'),
    dict(name='plain classifier, learning rate 0.006', run='plain_fast', cam='spotlight'),
    dict(name='two branches without AMM', run='without_amm', cam='weighted'),
    dict(name='two branches without AMM, L_cps of weight 0.1', run='without_amm_cps_low', cam='weighted'),
    dict(name='two branches without AMM, L_cps of weight 0.4', run='without_amm_cps_high', cam='weighted'),
    dict(name='6 epochs', run='longer', cam='weighted'),
    dict(name='plain classifier, 6 epochs', run='plain_longer', cam='spotlight'),
]
