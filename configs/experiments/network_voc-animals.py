# The choices of the network, one by one (rows A1 to A5 of docs/paper-and-released-code.md), against AMR's default.
_base_ = './amr_gain_voc-animals.py'
title = 'AMM one choice at a time on voc-animals, MobileNetV2: weighted CAMs'
runs = dict(
    _delete_=True,
    amr=dict(config='../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    neck=dict(config='../amr/amr_mobilenet-v2_neck_1xb16-4e_voc-animals-225px.py'),
    mlp=dict(config='../amr/amr_mobilenet-v2_mlp_1xb16-4e_voc-animals-225px.py'),
    max_avg=dict(config='../amr/amr_mobilenet-v2_max-avg_1xb16-4e_voc-animals-225px.py'),
    pdf=dict(config='../amr/amr_mobilenet-v2_pdf_1xb16-4e_voc-animals-225px.py'),
    batch=dict(config='../amr/amr_mobilenet-v2_batch-stats_1xb16-4e_voc-animals-225px.py'),
    gradient=dict(config='../amr/amr_mobilenet-v2_stats-gradient_1xb16-4e_voc-animals-225px.py'),
)
rows = [
    dict(name="AMR's default", run='amr', cam='weighted'),
    dict(name='A1: AMM after the last map (paper)', run='neck', cam='weighted'),
    dict(name='A2: channel attention by an MLP (released)', run='mlp', cam='weighted'),
    dict(name='A3: spatial attention of maximum and mean, BatchNorm (released)', run='max_avg', cam='weighted'),
    dict(name='A4: Gaussian as a density (released)', run='pdf', cam='weighted'),
    dict(name='A5: statistics of the batch (released)', run='batch', cam='weighted'),
    dict(name='gradient through the statistics', run='gradient', cam='weighted'),
]
