# L_cps has the released weight and a ReLU by default here; in their place is the default of photographs.
_base_ = './training_voc-animals.py'
title = "AMR's training one choice at a time on the embedded data set: weighted CAMs"
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
weight = 'model.loss_cps.loss_weight'
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'),
    amr=dict(config=amr),
    frozen=dict(config=amr, options={'model.frozen_spotlight': True}, load_from='plain'),
    detach=dict(config=amr, options={'model.compensation.detach_after': 'layer3'}),
    cps_1=dict(config=amr, options={weight: 1.0}),
    cps_photos=dict(config=amr, options={weight: 0.2, 'model.loss_cps.relu': False}),
    cps_present=dict(config=amr, options={weight: 0.02, 'model.loss_cps.classes': 'present'}),
    cps_first_pair=dict(config=amr, options={'model.loss_cps.samples': 'first-pair'}),
)
photos = dict(name='T4: L_cps of weight 0.2 before ReLU (default on photographs)', run='cps_photos', cam='weighted')
rows = [photos if row['run'] == 'cps_released' else row for row in _base_.rows]
