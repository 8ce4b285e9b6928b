# From CAMs to pseudo labels and on to a segmentation model, for the plain classifier and for AMR, beside the same model
# trained on real masks. CAMs and walks at their best threshold, or power, on train; labels as their configs make them.
title = 'Pseudo labels and segmentation on voc-animals, MobileNetV2'
runs = dict(
    plain=dict(config='../amr/cam-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py'),
    amr=dict(config='../amr/amr-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py'),
    supervised=dict(config='../deeplabv2/fully-supervised-pipeline_mobilenet-v2_voc-animals.py'))
rows = [
    dict(
        name='plain: CAM',
        run='plain',
        metrics={
            'best train': ('cam', 'CAM/spotlight.best_mIoU'),
            'labels, train': ('cam', 'CAM/spotlight.mIoU')
        }),
    dict(name='plain: CAM + CRF', run='plain', metrics={'labels, train': ('crf_label', 'pseudo_label/mIoU')}),
    dict(
        name='plain: IRNet',
        run='plain',
        metrics={
            'best train': ('pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU')
        }),
    dict(
        name='plain: AffinityNet',
        run='plain',
        metrics={
            'best train': ('affinitynet_pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('affinitynet_pseudo_label', 'pseudo_label/mIoU')
        }),
    dict(name="plain: DeepLab-v2 on IRNet's labels", run='plain', metrics={'val': ('evaluation', 'mIoU')}),
    dict(
        name='AMR: CAM',
        run='amr',
        metrics={
            'best train': ('cam', 'CAM/weighted.best_mIoU'),
            'labels, train': ('cam', 'CAM/weighted.mIoU')
        }),
    dict(name='AMR: CAM + CRF', run='amr', metrics={'labels, train': ('crf_label', 'pseudo_label/mIoU')}),
    dict(
        name='AMR: IRNet',
        run='amr',
        metrics={
            'best train': ('pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU')
        }),
    dict(
        name='AMR: AffinityNet',
        run='amr',
        metrics={
            'best train': ('affinitynet_pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('affinitynet_pseudo_label', 'pseudo_label/mIoU')
        }),
    dict(name="AMR: DeepLab-v2 on IRNet's labels", run='amr', metrics={'val': ('evaluation', 'mIoU')}),
    dict(name='DeepLab-v2 on real masks', run='supervised', metrics=dict(val=('evaluation', 'mIoU'))),
]
