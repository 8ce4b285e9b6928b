# The paper's Table 5: the recalibration coefficient ξ, from the CAM files of one training.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'Table 5 on {_base_.where}: weighted CAMs for each ξ'
runs = dict(amr=dict(config=_base_.amr))
rows = [
    dict(name='ξ = 0 (compensation)', run='amr', cam='compensation'),
    dict(name='ξ = 0.1', run='amr', cam='weighted(xi=0.1)', paper=49.2),
    dict(name='ξ = 0.3', run='amr', cam='weighted(xi=0.3)', paper=53.4),
    dict(name='ξ = 0.5', run='amr', cam='weighted', paper=56.8),
    dict(name='ξ = 0.7', run='amr', cam='weighted(xi=0.7)', paper=54.5),
    dict(name='ξ = 0.9', run='amr', cam='weighted(xi=0.9)', paper=50.7),
    dict(name='ξ = 1 (spotlight)', run='amr', cam='spotlight'),
]
