# The whole method on the five animals of VOC, on two CPU cores.
_base_ = '../_base_/pipeline.py'
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    # CAMs spread over whole objects, as the layers in the middle of the backbone see them in all photos together
    foreground=dict(
        kind='test',
        config='{classifier.config}',
        checkpoint='{classifier.checkpoint}',
        options={'test_cfg': dict(type='ForegroundLoop', cam_dir='{cam.out_dir}', layers=('layer4', 'layer5'))},
    ),
    affinity_label=dict(
        options={'test_cfg.cam_dir': '{foreground.out_dir}'},
        config='{{ fileDirname }}/../irnet/irnet_affinity-label_voc-animals.py',
    ),
    walk=dict(options={'test_cfg.cam_dir': '{foreground.out_dir}'}),
    affinity=dict(config='{{ fileDirname }}/../irnet/irnet_mobilenet-v2_1xb16-4e_voc-animals-257px.py'),
    pseudo_label=dict(
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_voc-animals.py',
        # After a walk of 2⁷ steps the largest scores have spread over the object, and the best threshold is high.
        options={'test_cfg.threshold': 0.45},
    ),
    segmentation=dict(
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py'
    ),
    # the same model at its best: scales, mirror image and CRF
    evaluation_test_time=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        options={'test_time.ms': True, 'test_time.flip': True, 'test_time.crf': True},
    ),
)
