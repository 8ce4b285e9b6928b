# The plain CAM classifier in the place of AMR. Other pipelines take it by an option:
# stages.classifier.config=../amr/cam_….py.
_base_ = './amr_resnet18-w16_irnet_deeplabv2_embedded.py'
stages = dict(classifier=dict(config='{{ fileDirname }}/../amr/cam_resnet18-w16_1xb8-12e_embedded-112px.py'))
