# The whole method on the embedded data set. There is no ImageNet in it: later networks start from the classifier.
_base_ = '../_base_/pipeline.py'
pretrained = dict(type='StrictPretrained', checkpoint='{classifier.checkpoint}', prefix='spotlight.backbone.')
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/amr_resnet18-w16_1xb8-12e_embedded-112px.py'),
    affinity_label=dict(config='{{ fileDirname }}/../irnet/irnet_affinity-label_embedded.py'),
    affinity=dict(
        config='{{ fileDirname }}/../irnet/irnet_resnet18-w16_1xb16-16e_embedded-112px.py',
        options={'model.backbone.init_cfg': pretrained},
    ),
    pseudo_label=dict(
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_embedded.py',
        options={'test_cfg.threshold': 0.15},
    ),
    segmentation=dict(
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py',
        options={'model.backbone.init_cfg': pretrained},
    ),
)
