# As the released code trains: a plain classifier first, which then is the spotlight.
_base_ = './amr-pipeline_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    baseline=dict(kind='train', config='{{ fileDirname }}/cam_resnet50-released_1xb16-8e_voc12aug-512px.py'),
    classifier=dict(
        config='{{ fileDirname }}/amr_resnet50-released_1xb16-8e_voc12aug-512px.py', checkpoint='{baseline.checkpoint}'
    ),
)
