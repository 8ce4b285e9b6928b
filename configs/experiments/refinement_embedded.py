# The same on the embedded data set, as far as the pseudo labels.
_base_ = './refinement_voc-animals.py'
title = 'Pseudo labels on the embedded data set, ResNet-18 of width 16 from scratch'
runs = dict(
    plain=dict(config='../amr/cam-pipeline_resnet18-w16_all-refinements_deeplabv2_embedded.py'),
    amr=dict(config='../amr/amr-pipeline_resnet18-w16_all-refinements_deeplabv2_embedded.py'),
)
