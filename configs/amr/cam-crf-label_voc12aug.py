# Pseudo labels from CAMs and a dense CRF, without affinities: the "CAM + CRF" of the field's tables.
_base_ = '../irnet/irnet_affinity-label_voc12aug.py'
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadCAM', cam_dir=_base_.cam_dir),
            dict(type='MakeAffinityLabel', method='crf', threshold=0.2),
            dict(type='KeepKeys', keys=('img_id', 'affinity_label')),
        ]
    )
)
test_evaluator = dict(prefix='pseudo_label')
