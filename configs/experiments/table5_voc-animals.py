# The paper's Table 5: the recalibration coefficient ξ, from the CAM files of one training.
_base_ = './amr_gain_voc-animals.py'
title = 'Table 5 on voc-animals, MobileNetV2: weighted CAMs for each ξ'
runs = dict(_delete_=True, amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'))
rows = [
    dict(name='ξ = 0 (compensation)', run='amr', cam='compensation'),
    dict(name='ξ = 0.1', run='amr', cam='weighted(xi=0.1)', paper=49.2),
    dict(name='ξ = 0.3', run='amr', cam='weighted(xi=0.3)', paper=53.4),
    dict(name='ξ = 0.5', run='amr', cam='weighted', paper=56.8),
    dict(name='ξ = 0.7', run='amr', cam='weighted(xi=0.7)', paper=54.5),
    dict(name='ξ = 0.9', run='amr', cam='weighted(xi=0.9)', paper=50.7),
    dict(name='ξ = 1 (spotlight)', run='amr', cam='spotlight'),
]
