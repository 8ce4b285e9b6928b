# The whole method on the embedded data set. There is no ImageNet in it: later networks start from the classifier.
runner_type = 'WSSSRunner'
pretrained = dict(type='StrictPretrained', checkpoint='{classifier.checkpoint}', prefix='spotlight.backbone.')
stages = dict(
    classifier=dict(kind='train', config='{{ fileDirname }}/amr_resnet18-w16_1xb8-12e_embedded-112px.py'),
    cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
    affinity_label=dict(
        kind='test',
        config='{{ fileDirname }}/../irnet/irnet_affinity-label_embedded.py',
        options={'test_dataloader.dataset.pipeline.1.cam_dir': '{cam.out_dir}'},
    ),
    affinity=dict(
        kind='train',
        config='{{ fileDirname }}/../irnet/irnet_resnet18-w16_1xb16-16e_embedded-112px.py',
        options={
            'train_dataloader.dataset.label_dir': '{affinity_label.out_dir}',
            'model.backbone.init_cfg': pretrained,
        },
    ),
    pseudo_label=dict(
        kind='test',
        config='{affinity.config}',
        checkpoint='{affinity.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    segmentation=dict(
        kind='train',
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py',
        options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_label.out_dir}',
            'model.backbone.init_cfg': pretrained,
        },
    ),
    evaluation=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        options={'test_evaluator.output_dir': '{evaluation.work_dir}/predictions'},
    ),
)
