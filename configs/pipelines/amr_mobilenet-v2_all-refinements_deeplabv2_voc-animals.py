# Every way from CAMs to pseudo labels, side by side: CRF alone, IRNet (which goes on to the segmentation) and
# AffinityNet, straight from the classifier's CAMs.
_base_ = './amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    foreground=None,
    affinity_label=dict(options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    walk=dict(options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    pseudo_label=dict(options={'test_cfg.threshold': 0.55}),
    crf_label=dict(
        kind='test',
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_voc-animals.py',
        options={
            'test_cfg.cam_dir': '{cam.out_dir}',
            'test_cfg.threshold': 0.2,
            'test_cfg.crf': dict(),
        },
    ),
    affinitynet_label=dict(
        kind='test',
        config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc-animals.py',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet=dict(
        kind='train',
        config='{{ fileDirname }}/../affinitynet/affinitynet_mobilenet-v2_1xb16-4e_voc-animals-257px.py',
        options={'train_dataloader.dataset.label_dir': '{affinitynet_label.out_dir}'},
    ),
    affinitynet_walk=dict(
        kind='test',
        config='{affinitynet.config}',
        checkpoint='{affinitynet.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet_pseudo_label=dict(
        kind='test',
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_voc-animals.py',
        options={'test_cfg.cam_dir': '{affinitynet_walk.out_dir}', 'test_cfg.power': 8.0},
    ),
)
