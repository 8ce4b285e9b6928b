# Confident labels for AffinityNet, of CAMs that the CAM stage made. These CAMs are faint on the bodies: AffinityNet's
# powers (4, 24) would leave a third of them.
_base_ = '../irnet/irnet_affinity-label_embedded.py'
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadCAM', cam_dir=_base_.cam_dir),
            dict(type='MakeAffinityLabel', method='affinitynet', low_alpha=16, high_alpha=128),
            dict(type='KeepKeys', keys=('img_id', 'affinity_label')),
        ]
    )
)
