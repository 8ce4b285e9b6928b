# No affinities: pseudo labels straight from the CAMs, by a threshold.
_base_ = './amr-pipeline_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    affinity_label=None,
    affinity=None,
    pseudo_label=dict(config='{{ fileDirname }}/cam-label_voc-animals.py', checkpoint=None),
)
