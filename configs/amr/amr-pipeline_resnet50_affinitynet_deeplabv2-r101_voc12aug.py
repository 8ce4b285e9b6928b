# AffinityNet in the place of IRNet.
_base_ = './amr-pipeline_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    affinity_label=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc12aug.py'),
    affinity=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_resnet50_1xb8-8e_voc12aug-448px.py'),
)
