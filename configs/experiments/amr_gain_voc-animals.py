# Plain classifier, AMR and the honest controls: two plain classifiers averaged, and a second branch without AMM.
# Choose on train, confirm on val.
title = 'CAMs on voc-animals, MobileNetV2'
splits = dict(train='ImageSets/Segmentation/train.txt', val='ImageSets/Segmentation/val.txt')
choose_on = 'train'
runs = dict(
    plain=dict(config='../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    ensemble=dict(ensemble_of='plain'),
    without_amm=dict(config='../amr/amr_mobilenet-v2_wo-amm_1xb16-4e_voc-animals-225px.py'),
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
)
rows = [
    dict(name='plain classifier', run='plain', cam='spotlight'),
    dict(name='two plain classifiers averaged', run='ensemble', cam='spotlight'),
    dict(name='two branches without AMM, weighted', run='without_amm', cam='weighted'),
    dict(name='AMR, spotlight', run='amr', cam='spotlight'),
    dict(name='AMR, compensation', run='amr', cam='compensation'),
    dict(name='AMR, weighted', run='amr', cam='weighted'),
]
