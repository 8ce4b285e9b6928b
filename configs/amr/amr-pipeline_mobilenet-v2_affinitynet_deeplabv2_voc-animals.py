# AffinityNet in the place of IRNet.
_base_ = './amr-pipeline_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    affinity_label=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc-animals.py'),
    affinity=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_mobilenet-v2_1xb16-4e_voc-animals-257px.py'),
)
