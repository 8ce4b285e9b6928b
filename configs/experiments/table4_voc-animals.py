# The paper's Table 4: what modulates the attention.
_base_ = './amr_gain_voc-animals.py'
title = 'Table 4 on voc-animals, MobileNetV2: weighted CAMs'
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    threshold=dict(config='../amr/amr_mobilenet-v2_threshold_1xb16-4e_voc-animals-225px.py'),
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight', paper=48.3),
    dict(name='threshold', run='threshold', cam='weighted', paper=50.1),
    dict(name='Gaussian', run='amr', cam='weighted', paper=56.8),
]
