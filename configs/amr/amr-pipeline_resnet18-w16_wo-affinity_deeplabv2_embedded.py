# No affinities: pseudo labels straight from the CAMs, by a threshold.
_base_ = './amr-pipeline_resnet18-w16_irnet_deeplabv2_embedded.py'
stages = dict(
    affinity_label=None,
    affinity=None,
    pseudo_label=dict(config='{{ fileDirname }}/cam-label_embedded.py', checkpoint=None),
)
