# The whole method on the 10,582 images of VOC 2012 with SBD, AMR as it did best on small data.
_base_ = '../_base_/pipeline.py'
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/amr_resnet50_1xb16-8e_voc12aug-512px.py'),
    affinity_label=dict(config='{{ fileDirname }}/../irnet/irnet_affinity-label_voc12aug.py'),
    affinity=dict(config='{{ fileDirname }}/../irnet/irnet_resnet50_1xb16-3e_voc12aug-512px.py'),
    pseudo_label=dict(
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_voc12aug.py',
        options={'test_cfg.threshold': 0.25},
    ),
    segmentation=dict(config='{{ fileDirname }}/../deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'),
)
