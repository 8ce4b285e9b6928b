# The paper's Table 4: what modulates the attention.
_base_ = './_base_/{{$MMAMR_DATA:voc-animals}}.py'
title = f'Table 4 on {_base_.where}: weighted CAMs'
threshold = {
    'model.compensation.modulation.amm.function.type': 'ThresholdModulation',
    # behind a threshold AMM gets no gradient
    'find_unused_parameters': True,
}
runs = dict(
    plain=dict(config=_base_.plain),
    threshold=dict(config=_base_.amr, options=threshold),
    amr=dict(config=_base_.amr),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight', paper=48.3),
    dict(name='threshold', run='threshold', cam='weighted', paper=50.1),
    dict(name='Gaussian', run='amr', cam='weighted', paper=56.8),
]
