# From CAMs to pseudo labels, for the plain classifier and for AMR (table1_voc-animals.py goes on to the segmentation). CAMs and
# walks at their best threshold, or power, on train; labels as their configs make them.
title = 'Pseudo labels on voc-animals, MobileNetV2'
stages = (
    'classifier',
    'cam',
    'crf_label',
    'affinity_label',
    'affinity',
    'pseudo_label',
    'affinitynet_label',
    'affinitynet',
    'affinitynet_pseudo_label',
)
runs = dict(
    plain=dict(config='../amr/cam-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py', stages=stages),
    amr=dict(config='../amr/amr-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py', stages=stages),
)
rows = [
    dict(
        name='plain: CAM',
        run='plain',
        metrics={'best train': ('cam', 'CAM/spotlight.best_mIoU'), 'labels, train': ('cam', 'CAM/spotlight.mIoU')},
    ),
    dict(name='plain: CAM + CRF', run='plain', metrics={'labels, train': ('crf_label', 'pseudo_label/mIoU')}),
    dict(
        name='plain: IRNet',
        run='plain',
        metrics={
            'best train': ('pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU'),
        },
    ),
    dict(
        name='plain: AffinityNet',
        run='plain',
        metrics={
            'best train': ('affinitynet_pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('affinitynet_pseudo_label', 'pseudo_label/mIoU'),
        },
    ),
    dict(
        name='AMR: CAM',
        run='amr',
        metrics={'best train': ('cam', 'CAM/weighted.best_mIoU'), 'labels, train': ('cam', 'CAM/weighted.mIoU')},
    ),
    dict(name='AMR: CAM + CRF', run='amr', metrics={'labels, train': ('crf_label', 'pseudo_label/mIoU')}),
    dict(
        name='AMR: IRNet',
        run='amr',
        metrics={
            'best train': ('pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('pseudo_label', 'pseudo_label/mIoU'),
        },
    ),
    dict(
        name='AMR: AffinityNet',
        run='amr',
        metrics={
            'best train': ('affinitynet_pseudo_label', 'walk/walk.best_mIoU'),
            'labels, train': ('affinitynet_pseudo_label', 'pseudo_label/mIoU'),
        },
    ),
]
