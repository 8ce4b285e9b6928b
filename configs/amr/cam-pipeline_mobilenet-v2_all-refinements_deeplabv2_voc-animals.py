# The plain CAM classifier in the place of AMR.
_base_ = './amr-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py'
stages = dict(classifier=dict(config='{{ fileDirname }}/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'))
