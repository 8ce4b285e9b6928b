# Adversarial climbing for everybody, beside the same CAMs without it: on the plain classifier, on two of them averaged,
# and on AMR.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
climb = {'test_cfg.climb.steps': 3, 'test_cfg.climb.coefficient': 0.0}
runs = dict(plain=dict(config=_base_.plain), amr=dict(config=_base_.amr))
if _base_.climb_photos is None:
    title = f'AdvCAM on {_base_.where}'
    photos, flat = {}, ''
    runs.update(ensemble=dict(ensemble_of='plain'))
else:
    title = f'AdvCAM on {_base_.where}, {_base_.climb_photos} photos'
    # the CAMs without climbing on the same photos
    photos, flat = {'test_dataloader.dataset.indices': _base_.climb_photos}, '_photos'
    runs.update(
        plain_photos=dict(config=_base_.plain, checkpoint_of='plain', options=photos),
        ensemble_photos=dict(ensemble_of='plain_photos', options=photos),
        amr_photos=dict(config=_base_.amr, checkpoint_of='amr', options=photos),
    )
runs.update(
    plain_climbed=dict(config=_base_.plain, checkpoint_of='plain', options={**photos, **climb}),
    ensemble_climbed=dict(ensemble_of='plain_climbed', options=photos),
    amr_climbed=dict(config=_base_.amr, checkpoint_of='amr', options={**photos, **climb}),
)
rows = [
    dict(name='plain classifier', run=f'plain{flat}', cam='spotlight'),
    dict(name='two plain classifiers averaged', run=f'ensemble{flat}', cam='spotlight'),
    dict(name='AMR, weighted', run=f'amr{flat}', cam='weighted'),
    dict(name='plain classifier, climbed', run='plain_climbed', cam='spotlight'),
    dict(name='two plain classifiers averaged, climbed', run='ensemble_climbed', cam='spotlight'),
    dict(name='AMR, weighted, climbed', run='amr_climbed', cam='weighted'),
]
