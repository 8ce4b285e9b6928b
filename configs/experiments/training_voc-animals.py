# The choices of the training, one by one (rows T1 to T5 of docs/paper-and-released-code.md), against AMR's default.
_base_ = './amr_gain_voc-animals.py'
title = "AMR's training one choice at a time on voc-animals, MobileNetV2: weighted CAMs"
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    frozen=dict(config='../amr/amr_mobilenet-v2_frozen-spotlight_1xb16-4e_voc-animals-225px.py', load_from='plain'),
    detach=dict(config='../amr/amr_mobilenet-v2_detach_1xb16-4e_voc-animals-225px.py'),
    cps_1=dict(config='../amr/amr_mobilenet-v2_cps-1_1xb16-4e_voc-animals-225px.py'),
    cps_released=dict(config='../amr/amr_mobilenet-v2_cps-released_1xb16-4e_voc-animals-225px.py'),
    cps_present=dict(config='../amr/amr_mobilenet-v2_cps-present_1xb16-4e_voc-animals-225px.py'),
    cps_first_pair=dict(config='../amr/amr_mobilenet-v2_cps-first-pair_1xb16-4e_voc-animals-225px.py'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='T1, T2: the plain classifier as frozen spotlight (released)', run='frozen', cam='weighted'),
    dict(name='T3: AMMs of the first trained layer keep their start (released)', run='detach', cam='weighted'),
    dict(name='T4: L_cps of weight 1 (paper)', run='cps_1', cam='weighted'),
    dict(name='T4: L_cps of weight 0.05 after ReLU (released)', run='cps_released', cam='weighted'),
    dict(name='T4: L_cps of present classes, weight 0.02', run='cps_present', cam='weighted'),
    dict(name='T5: L_cps of the first map plus the mirrored second (released)', run='cps_first_pair', cam='weighted'),
]
