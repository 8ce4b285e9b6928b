# Plain classifier, AMR and the honest controls: two plain classifiers averaged, and a second branch without AMM.
# Choose on train, confirm on val.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'CAMs on {_base_.where}'
without_amm = {'model.compensation.modulation': None}
runs = dict(
    plain=dict(config=_base_.plain),
    ensemble=dict(ensemble_of='plain'),
    without_amm=dict(config=_base_.amr, options=without_amm),
    amr=dict(config=_base_.amr),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='two branches without AMM, weighted', run='without_amm', cam='weighted'),
    dict(name='AMR, spotlight', run='amr', cam='spotlight'),
    dict(name='AMR, compensation', run='amr', cam='compensation'),
    dict(name='AMR, weighted', run='amr', cam='weighted'),
]
if _base_.data == 'voc07-mini':
    # AMR's weight of L_cps was tuned here with AMM; without AMM that of voc-animals might be the better one
    weight = {'model.loss_cps.loss_weight': 0.2}
    runs.update(without_amm_cps_02=dict(config=_base_.amr, options={**without_amm, **weight}))
    rows.insert(3, dict(name='the same, L_cps of weight 0.2, weighted', run='without_amm_cps_02', cam='weighted'))
