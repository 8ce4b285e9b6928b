# The whole method on the five animals of VOC, on two CPU cores.
runner_type = 'WSSSRunner'
stages = dict(
    classifier=dict(kind='train', config='{{ fileDirname }}/amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
    affinity_label=dict(
        kind='test',
        config='{{ fileDirname }}/../irnet/irnet_affinity-label_voc-animals.py',
        options={'test_dataloader.dataset.pipeline.1.cam_dir': '{cam.out_dir}'},
    ),
    affinity=dict(
        kind='train',
        config='{{ fileDirname }}/../irnet/irnet_mobilenet-v2_1xb16-4e_voc-animals-257px.py',
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
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py',
        options={'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_label.out_dir}'},
    ),
    evaluation=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        options={'test_evaluator.output_dir': '{evaluation.work_dir}/predictions'},
    ),
)
