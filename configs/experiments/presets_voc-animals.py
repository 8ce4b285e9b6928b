# All choices of the paper, all of the released code, and AMR's default here, beside the controls.
_base_ = './amr_gain_voc-animals.py'
title = 'Presets on voc-animals, MobileNetV2'
runs = dict(
    paper=dict(config='../amr/amr_mobilenet-v2_paper_1xb16-4e_voc-animals-225px.py'),
    released=dict(config='../amr/amr_mobilenet-v2_released_1xb16-4e_voc-animals-225px.py', load_from='plain'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='two branches without AMM', run='without_amm', cam='weighted'),
    dict(name='AMR as in the paper', run='paper', cam='weighted'),
    dict(name='AMR as released', run='released', cam='weighted'),
    dict(name="AMR's default", run='amr', cam='weighted'),
]
