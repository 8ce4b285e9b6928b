# As the released code trains: a plain classifier first, which then is the spotlight.
_base_ = './amr_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    baseline=dict(kind='train', config='{{ fileDirname }}/../amr/cam_resnet50_released_1xb16-8e_voc12aug-512px.py'),
    classifier=dict(
        config='{{ fileDirname }}/../amr/amr_resnet50_released_1xb16-8e_voc12aug-512px.py',
        checkpoint='{baseline.checkpoint}',
    ),
)
