# All choices of the released code, and AMR's default here, beside the controls; those of the paper: readings.py.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'Presets on {_base_.where}'
amm = 'model.compensation.modulation.amm'
# The released code's choices (A1-A5, T1-T5) with the optimizer, the photos and the CAM stage of the default.
released = {
    f'{amm}.channel.layer': 'mlp',
    f'{amm}.channel.reduction': 16,
    f'{amm}.spatial.pooling': 'max-avg',
    f'{amm}.spatial.norm_cfg.type': 'BN',
    f'{amm}.spatial.norm_cfg.momentum': 0.01,
    f'{amm}.function.type': 'GaussianModulation',
    f'{amm}.function.form': 'pdf',
    f'{amm}.function.statistics': 'batch',
    f'{amm}.function.unbiased': True,
    'model.compensation.detach_after': _base_.first_layer,
    'model.frozen_spotlight': True,
    'model.loss_cls.loss_weight': 1.0,
    'model.loss_cps.loss_weight': 0.05,
    'model.loss_cps.relu': True,
    'model.loss_cps.samples': 'first-pair',
    'find_unused_parameters': True,
}
runs = dict(
    plain=dict(config=_base_.plain),
    ensemble=dict(ensemble_of='plain'),
    without_amm=dict(config=_base_.amr, options={'model.compensation.modulation': None}),
    released=dict(config=_base_.amr, options=released, load_from='plain'),
    amr=dict(config=_base_.amr),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='two branches without AMM', run='without_amm', cam='weighted'),
    dict(name='AMR as released', run='released', cam='weighted'),
    dict(name="AMR's default", run='amr', cam='weighted'),
]
