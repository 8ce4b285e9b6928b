# The same on the embedded data set, as far as the pseudo labels.
_base_ = './refinement_voc-animals.py'
title = 'Pseudo labels on the embedded data set, ResNet-18 of width 16 from scratch'
stages = ('classifier', 'cam', 'crf_label', 'affinity_label', 'affinity', 'pseudo_label', 'affinitynet_label',
          'affinitynet', 'affinitynet_pseudo_label')
runs = dict(
    _delete_=True,
    plain=dict(config='../amr/cam-pipeline_resnet18-w16_all-refinements_deeplabv2_embedded.py', stages=stages),
    amr=dict(config='../amr/amr-pipeline_resnet18-w16_all-refinements_deeplabv2_embedded.py', stages=stages))
rows = [row for row in _base_.rows if 'val' not in row['metrics']]
