# The scales of IRNet's CAMs in the place of the small configs' own: what the classifiers gain, and what AMR gains over
# the others then. On the first 200 photos of each list.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'CAMs of scales 0.5, 1, 1.5 and 2 on {_base_.where}, 200 photos of each list'
without_amm = {'model.compensation.modulation': None}
photos = {'test_dataloader.dataset.indices': 200}
scales = {**photos, 'test_cfg.scales': [0.5, 1.0, 1.5, 2.0]}
runs = dict(
    plain=dict(config=_base_.plain),
    without_amm=dict(config=_base_.amr, options=without_amm),
    amr=dict(config=_base_.amr),
    plain_scales=dict(config=_base_.plain, checkpoint_of='plain', options=scales),
    ensemble_scales=dict(ensemble_of='plain_scales', options=photos),
    without_amm_scales=dict(config=_base_.amr, checkpoint_of='without_amm', options={**without_amm, **scales}),
    amr_scales=dict(config=_base_.amr, checkpoint_of='amr', options=scales),
)
rows = [
    dict(name='plain classifier', run='plain_scales', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble_scales', cam='spotlight'),
    dict(name='two branches without AMM, weighted', run='without_amm_scales', cam='weighted'),
    dict(name='AMR, spotlight', run='amr_scales', cam='spotlight'),
    dict(name='AMR, compensation', run='amr_scales', cam='compensation'),
    dict(name='AMR, weighted', run='amr_scales', cam='weighted'),
]
