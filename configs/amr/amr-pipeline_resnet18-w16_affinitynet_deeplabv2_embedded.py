# AffinityNet in the place of IRNet.
_base_ = './amr-pipeline_resnet18-w16_irnet_deeplabv2_embedded.py'
stages = dict(
    affinity_label=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_embedded.py'),
    affinity=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_resnet18-w16_1xb16-8e_embedded-112px.py'),
)
