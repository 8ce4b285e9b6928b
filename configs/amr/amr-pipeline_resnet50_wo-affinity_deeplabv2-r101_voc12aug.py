# No affinities: pseudo labels straight from the CAMs, by a threshold.
_base_ = './amr-pipeline_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    affinity_label=None,
    affinity=None,
    pseudo_label=dict(config='{{ fileDirname }}/cam-label_voc12aug.py', checkpoint=None),
)
