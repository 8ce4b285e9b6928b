_base_ = './network_voc-animals.py'
title = 'AMM one choice at a time on voc07-mini, MobileNetV2: weighted CAMs'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
amm = 'model.compensation.modulation.amm'
gaussian = {f'{amm}.function.type': 'GaussianModulation'}
runs = dict(
    _delete_=True,
    amr=dict(config=amr),
    neck=dict(
        config=amr,
        options={
            'model.compensation.modulation': None,
            'model.compensation.neck.type': 'AMMNeck',
            'model.compensation.neck.in_channels': 320,
            'optim_wrapper.paramwise_cfg.custom_keys.neck.lr_mult': 10.0,
        },
    ),
    mlp=dict(config=amr, options={f'{amm}.channel.layer': 'mlp', f'{amm}.channel.reduction': 16}),
    max_avg=dict(
        config=amr,
        options={
            f'{amm}.spatial.pooling': 'max-avg',
            f'{amm}.spatial.norm_cfg.type': 'BN',
            f'{amm}.spatial.norm_cfg.momentum': 0.01,
        },
    ),
    pdf=dict(config=amr, options={**gaussian, f'{amm}.function.form': 'pdf'}),
    batch=dict(config=amr, options={**gaussian, f'{amm}.function.statistics': 'batch'}),
)
# the gradient through the statistics made no difference on voc-animals
rows = _base_.rows[:-1]
