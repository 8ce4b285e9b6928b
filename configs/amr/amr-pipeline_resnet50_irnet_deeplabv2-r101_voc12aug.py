# The whole method on the 10,582 images of VOC 2012 with SBD, AMR as it did best on small data.
runner_type = 'WSSSRunner'
stages = dict(
    classifier=dict(kind='train', config='{{ fileDirname }}/amr_resnet50_1xb16-8e_voc12aug-512px.py'),
    cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
    affinity_label=dict(
        kind='test',
        config='{{ fileDirname }}/../irnet/irnet_affinity-label_voc12aug.py',
        options={'test_dataloader.dataset.pipeline.1.cam_dir': '{cam.out_dir}'},
    ),
    affinity=dict(
        kind='train',
        config='{{ fileDirname }}/../irnet/irnet_resnet50_1xb16-3e_voc12aug-512px.py',
        options={'train_dataloader.dataset.label_dir': '{affinity_label.out_dir}'},
    ),
    pseudo_label=dict(
        kind='test',
        config='{affinity.config}',
        checkpoint='{affinity.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    segmentation=dict(
        kind='train',
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py',
        options={'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_label.out_dir}'},
    ),
    evaluation=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        # ours also keeps the IoU of each class, for the report
        options={
            'test_evaluator.type': 'mmamr.SegmentationMetric',
            'test_evaluator.output_dir': '{evaluation.work_dir}/predictions',
        },
    ),
)
