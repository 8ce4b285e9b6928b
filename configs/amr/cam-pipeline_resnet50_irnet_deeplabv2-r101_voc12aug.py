# The plain CAM classifier in the place of AMR.
_base_ = './amr-pipeline_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(classifier=dict(config='{{ fileDirname }}/cam_resnet50_1xb16-8e_voc12aug-512px.py'))
