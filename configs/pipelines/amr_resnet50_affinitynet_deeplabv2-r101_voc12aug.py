# AffinityNet in the place of IRNet. The background walks along to some powers, of which one makes the labels.
_base_ = './amr_resnet50_irnet_deeplabv2-r101_voc12aug.py'
stages = dict(
    affinity_label=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc12aug.py'),
    affinity=dict(config='{{ fileDirname }}/../affinitynet/affinitynet_resnet50_1xb8-8e_voc12aug-448px.py'),
    pseudo_label=dict(options={'_delete_': True, 'test_cfg.cam_dir': '{walk.out_dir}', 'test_cfg.power': 16.0}),
)
