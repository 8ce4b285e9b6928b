# Table 1: DeepLab-v2 trained on IRNet's labels of the plain classifier's CAMs and of AMR's, beside the same model trained
# on real masks. With the same --work-dir refinement_voc-animals.py adds the other refinements.
title = 'Table 1 on voc-animals, MobileNetV2'
stages = ('classifier', 'cam', 'affinity_label', 'affinity', 'pseudo_label', 'segmentation', 'evaluation')
runs = dict(
    plain=dict(config='../amr/cam-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py', stages=stages),
    amr=dict(config='../amr/amr-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py', stages=stages),
    supervised=dict(config='../deeplabv2/fully-supervised-pipeline_mobilenet-v2_voc-animals.py'),
)
rows = [
    dict(
        name='plain classifier',
        run='plain',
        metrics={
            'CAM, train': ('cam', 'CAM/spotlight.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU'),
            'DeepLab-v2, val': ('evaluation', 'mIoU'),
        },
    ),
    dict(
        name='AMR',
        run='amr',
        metrics={
            'CAM, train': ('cam', 'CAM/weighted.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU'),
            'DeepLab-v2, val': ('evaluation', 'mIoU'),
        },
    ),
    dict(name='real masks', run='supervised', metrics={'DeepLab-v2, val': ('evaluation', 'mIoU')}),
]
