_base_ = './tiny_amr.py'
cam_dir = '{{$MMAMR_TINY_CAMS:cams}}'
model = dict(_delete_=True, type='NoModel')
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadCAM', cam_dir=cam_dir),
            dict(type='MakeAffinityLabel', method='irnet', fg_threshold=0.5, bg_threshold=0.3, iterations=2),
            dict(type='KeepKeys', keys=('img_id', 'affinity_label')),
        ]
    )
)
test_cfg = dict(_delete_=True, type='AffinityLabelLoop')
test_evaluator = dict(type='LabelMetric')
