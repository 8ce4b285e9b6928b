# Climbing on all photos; see advcam_voc-animals.py.
_base_ = './amr_gain_voc07-mini.py'
title = 'AdvCAM on voc07-mini, MobileNetV2'
plain = '../amr/cam_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
amr = '../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'
climb = {'test_cfg.climb.steps': 3}
runs = dict(
    _delete_=True,
    plain=dict(config=plain),
    ensemble=dict(ensemble_of='plain'),
    amr=dict(config=amr),
    plain_climbed=dict(config=plain, checkpoint_of='plain', options=climb),
    ensemble_climbed=dict(ensemble_of='plain_climbed'),
    amr_climbed=dict(config=amr, checkpoint_of='amr', options=climb))
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='AMR, weighted', run='amr', cam='weighted'),
    dict(name='plain classifier, climbed', run='plain_climbed', cam='spotlight'),
    dict(name='two plain classifiers averaged, climbed', run='ensemble_climbed', cam='spotlight'),
    dict(name='AMR, weighted, climbed', run='amr_climbed', cam='weighted'),
]
