# AffinityNet in the place of IRNet. The background walks along to some powers, of which one makes the labels.
_base_ = './amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    foreground=None,
    affinity_label=dict(
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
        config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc-animals.py',
    ),
    affinity=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_mobilenet-v2_1xb16-4e_voc-animals-257px.py'),
    walk=dict(options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    pseudo_label=dict(options={'_delete_': True, 'test_cfg.cam_dir': '{walk.out_dir}', 'test_cfg.power': 8.0}),
)
