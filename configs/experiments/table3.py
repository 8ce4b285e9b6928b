# The paper's Table 3: channel modulation, spatial modulation, both, and both with L_cps.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'Table 3 on {_base_.where}: weighted CAMs'
amm = 'model.compensation.modulation.amm'
without_cps = {'model.loss_cps': None}
runs = dict(
    plain=dict(config=_base_.plain),
    channel=dict(config=_base_.amr, options={f'{amm}.spatial': None, **without_cps}),
    spatial=dict(config=_base_.amr, options={f'{amm}.channel': None, **without_cps}),
    both=dict(config=_base_.amr, options=without_cps),
    amr=dict(config=_base_.amr),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight', paper=48.3),
    dict(name='AMM: channel', run='channel', cam='weighted', paper=52.9),
    dict(name='AMM: spatial', run='spatial', cam='weighted', paper=53.5),
    dict(name='AMM: both', run='both', cam='weighted', paper=54.9),
    dict(name='AMM: both and L_cps', run='amr', cam='weighted', paper=56.8),
]
