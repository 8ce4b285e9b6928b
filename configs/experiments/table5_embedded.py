_base_ = './table5_voc-animals.py'
title = 'Table 5 on the embedded data set: weighted CAMs for each ξ'
runs = dict(amr=dict(config='../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'))
