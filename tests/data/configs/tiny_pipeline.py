# The whole method on 12 photographs.
runner_type = 'WSSSRunner'
stages = dict(
    classifier=dict(kind='train', config='tiny_amr.py'),
    cam=dict(kind='test', config='{classifier.config}', checkpoint='{classifier.checkpoint}'),
    affinity_label=dict(kind='test', config='tiny_affinity-label.py', options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    affinity=dict(
        kind='train',
        config='tiny_irnet-train.py',
        options={'train_dataloader.dataset.label_dir': '{affinity_label.out_dir}'},
    ),
    walk=dict(
        kind='test',
        config='{affinity.config}',
        checkpoint='{affinity.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    pseudo_label=dict(
        kind='test',
        config='tiny_pseudo-label.py',
        options={'test_cfg.cam_dir': '{walk.out_dir}', 'test_cfg.threshold': 0.25},
    ),
    segmentation=dict(
        kind='train',
        config='tiny_segmentation.py',
        options={'train_dataloader.dataset.label_dir': '{pseudo_label.out_dir}'},
    ),
    evaluation=dict(kind='test', config='{segmentation.config}', checkpoint='{segmentation.checkpoint}'),
)
