# The choices of the network, one by one, against AMR's default: rows A1 to A5 of
# docs/advanced_guides/paper-and-released-code.md.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'AMM one choice at a time on {_base_.where}: weighted CAMs'
amm = 'model.compensation.modulation.amm'
gaussian = {f'{amm}.function.type': 'GaussianModulation'}
neck = {
    'model.compensation.modulation': None,
    'model.compensation.neck.type': 'AMMNeck',
    'model.compensation.neck.in_channels': _base_.channels,
    'optim_wrapper.paramwise_cfg.custom_keys.neck.lr_mult': 10.0,
}
mlp = {f'{amm}.channel.layer': 'mlp', f'{amm}.channel.reduction': 16}
max_avg = {
    f'{amm}.spatial.pooling': 'max-avg',
    f'{amm}.spatial.norm_cfg.type': 'BN',
    f'{amm}.spatial.norm_cfg.momentum': 0.01,
}
runs = dict(
    amr=dict(config=_base_.amr),
    neck=dict(config=_base_.amr, options=neck),
    mlp=dict(config=_base_.amr, options=mlp),
    max_avg=dict(config=_base_.amr, options=max_avg),
    pdf=dict(config=_base_.amr, options={**gaussian, f'{amm}.function.form': 'pdf'}),
    batch=dict(config=_base_.amr, options={**gaussian, f'{amm}.function.statistics': 'batch'}),
)
rows = [
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='AMM after the last map', run='neck', cam='weighted'),
    dict(name='A2: channel attention by an MLP (released)', run='mlp', cam='weighted'),
    dict(name='A3: spatial attention of maximum and mean, BatchNorm (released)', run='max_avg', cam='weighted'),
    dict(name='A4: Gaussian as a density (released)', run='pdf', cam='weighted'),
    dict(name='A5: statistics of the batch (released)', run='batch', cam='weighted'),
]
if _base_.data == 'voc-animals':  # where it made no difference; so it is left out elsewhere
    runs.update(gradient=dict(config=_base_.amr, options={**gaussian, f'{amm}.function.detach': False}))
    rows.append(dict(name='gradient through the statistics', run='gradient', cam='weighted'))
