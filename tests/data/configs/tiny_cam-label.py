_base_ = './tiny_amr.py'
model = dict(_delete_=True, type='NoModel')
test_dataloader = dict(dataset=dict(pipeline=[dict(type='KeepKeys', keys=('img_id',))]))
test_cfg = dict(_delete_=True, type='CAMLabelLoop', cam_dir='cams')
test_evaluator = [dict(type='CAMMetric', threshold=0.3), dict(type='LabelMetric')]
