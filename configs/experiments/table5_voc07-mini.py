_base_ = './table5_voc-animals.py'
title = 'Table 5 on voc07-mini, MobileNetV2: weighted CAMs for each ξ'
runs = dict(amr=dict(config='../amr/amr_mobilenet-v2_1xb16-8e_voc07-mini-225px.py'))
