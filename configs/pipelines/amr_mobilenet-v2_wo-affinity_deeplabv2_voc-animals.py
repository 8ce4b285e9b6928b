# No affinities and no walk: pseudo labels straight from the CAMs, by a threshold.
_base_ = './amr_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    affinity_label=None,
    affinity=None,
    walk=None,
    pseudo_label=dict(options={'_delete_': True, 'test_cfg.cam_dir': '{cam.out_dir}'}),
)
