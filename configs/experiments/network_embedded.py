_base_ = './network_voc07-mini.py'
title = 'AMM one choice at a time on the embedded data set: weighted CAMs'
amr = '../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'
runs = dict(
    amr=dict(config=amr),
    neck=dict(config=amr, options={'model.compensation.neck.in_channels': 128}),
    mlp=dict(config=amr),
    max_avg=dict(config=amr),
    pdf=dict(config=amr),
    batch=dict(config=amr),
)
