# Every way from CAMs to pseudo labels, side by side: CRF alone, IRNet (which goes on to the segmentation) and
# AffinityNet.
_base_ = './amr_resnet18-w16_irnet_deeplabv2_embedded.py'
stages = dict(
    crf_label=dict(
        kind='test',
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_embedded.py',
        options={
            'test_cfg.cam_dir': '{cam.out_dir}',
            'test_cfg.threshold': 0.05,
            'test_cfg.crf': dict(),
        },
    ),
    affinitynet_label=dict(
        kind='test',
        config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_embedded.py',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet=dict(
        kind='train',
        config='{{ fileDirname }}/../affinitynet/affinitynet_resnet18-w16_1xb16-8e_embedded-112px.py',
        options={
            'train_dataloader.dataset.label_dir': '{affinitynet_label.out_dir}',
            'model.backbone.init_cfg': _base_.pretrained,
        },
    ),
    affinitynet_walk=dict(
        kind='test',
        config='{affinitynet.config}',
        checkpoint='{affinitynet.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet_pseudo_label=dict(
        kind='test',
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_embedded.py',
        options={'test_cfg.cam_dir': '{affinitynet_walk.out_dir}', 'test_cfg.power': 256.0},
    ),
)
