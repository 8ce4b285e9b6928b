# Confident labels for AffinityNet, of CAMs that the CAM stage made.
_base_ = '../irnet/irnet_affinity-label_voc-animals.py'
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadCAM', cam_dir=_base_.cam_dir),
            dict(type='MakeAffinityLabel', method='affinitynet', low_alpha=4, high_alpha=24),
            dict(type='KeepKeys', keys=('img_id', 'affinity_label')),
        ]
    )
)
