# The whole method as the paper has it.
_base_ = './amr_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(classifier=dict(config='{{ fileDirname }}/../amr/amr_resnet50_paper_1xb16-8e_voc12aug-512px.py'))
