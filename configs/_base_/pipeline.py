# The stages of the whole method, in their order, and what each reads of earlier ones. A pipeline names the configs.
runner_type = 'WSSSRunner'
stages = dict(
    classifier=dict(kind='train'),
    cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
    affinity_label=dict(kind='test', options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    affinity=dict(kind='train', options={'train_dataloader.dataset.label_dir': '{affinity_label.out_dir}'}),
    walk=dict(
        kind='test',
        config='{affinity.config}',
        checkpoint='{affinity.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    pseudo_label=dict(kind='test', options={'test_cfg.cam_dir': '{walk.out_dir}'}),
    segmentation=dict(kind='train', options={'train_dataloader.dataset.label_dir': '{pseudo_label.out_dir}'}),
    evaluation=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        options={'test_evaluator.output_dir': '{evaluation.work_dir}/predictions'},
    ),
)
