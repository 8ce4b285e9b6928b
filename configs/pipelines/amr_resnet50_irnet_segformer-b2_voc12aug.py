# SegFormer in the place of DeepLab-v2.
_base_ = './amr_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    segmentation=dict(config='{{ fileDirname }}/../segformer/segformer_mit-b2_1xb16-20k_voc12aug-pseudo-512x512.py')
)
