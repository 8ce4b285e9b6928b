# The paper's Table 3: channel modulation, spatial modulation, both, and both with L_cps.
_base_ = './amr_gain_voc-animals.py'
title = 'Table 3 on voc-animals, MobileNetV2: weighted CAMs'
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    channel=dict(config='../amr/amr_mobilenet-v2_channel-only_1xb16-4e_voc-animals-225px.py'),
    spatial=dict(config='../amr/amr_mobilenet-v2_spatial-only_1xb16-4e_voc-animals-225px.py'),
    both=dict(config='../amr/amr_mobilenet-v2_wo-cps_1xb16-4e_voc-animals-225px.py'),
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight', paper=48.3),
    dict(name='AMM: channel', run='channel', cam='weighted', paper=52.9),
    dict(name='AMM: spatial', run='spatial', cam='weighted', paper=53.5),
    dict(name='AMM: both', run='both', cam='weighted', paper=54.9),
    dict(name='AMM: both and L_cps', run='amr', cam='weighted', paper=56.8),
]
