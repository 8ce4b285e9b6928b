# The plain CAM classifier in the place of AMR.
_base_ = './amr-pipeline_resnet18-w16_all-refinements_deeplabv2_embedded.py'
stages = dict(classifier=dict(config='{{ fileDirname }}/cam_resnet18-w16_1xb8-12e_embedded-112px.py'))
