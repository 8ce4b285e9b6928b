# Climbing on all pictures; see advcam_voc-animals.py.
_base_ = './amr_gain_embedded.py'
title = 'AdvCAM on the embedded data set'
plain = '../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    _delete_=True,
    plain=dict(config=plain),
    ensemble=dict(ensemble_of='plain'),
    amr=dict(config=amr),
    plain_climbed=dict(config='../amr/cam_resnet18-w16_advcam_1xb8-12e_embedded-112px.py', checkpoint_of='plain'),
    ensemble_climbed=dict(ensemble_of='plain_climbed'),
    amr_climbed=dict(config='../amr/amr_resnet18-w16_advcam_1xb8-12e_embedded-112px.py', checkpoint_of='amr'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='AMR, weighted', run='amr', cam='weighted'),
    dict(name='plain classifier, climbed', run='plain_climbed', cam='spotlight'),
    dict(name='two plain classifiers averaged, climbed', run='ensemble_climbed', cam='spotlight'),
    dict(name='AMR, weighted, climbed', run='amr_climbed', cam='weighted'),
]
