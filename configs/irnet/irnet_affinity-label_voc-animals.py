# Confident labels for IRNet, of CAMs that the CAM stage made: IRNet's own thresholds.
_base_ = ['../_base_/datasets/voc-animals_225px.py', '../_base_/default_runtime.py']
cam_dir = 'work_dirs/cams'
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImage'),
            dict(type='LoadCAM', cam_dir=cam_dir),
            dict(type='MakeAffinityLabel', method='irnet', fg_threshold=0.3, bg_threshold=0.05),
            dict(type='KeepKeys', keys=('img_id', 'affinity_label')),
        ]
    )
)
test_cfg = dict(type='AffinityLabelLoop')
test_evaluator = dict(type='LabelMetric', prefix='affinity_label')
