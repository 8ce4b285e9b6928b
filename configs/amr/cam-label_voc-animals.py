# Pseudo labels straight from CAMs, by a threshold.
_base_ = ['../_base_/datasets/voc-animals_225px.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_dataloader = dict(dataset=dict(pipeline=[dict(type='KeepKeys', keys=('img_id',))]))
test_cfg = dict(type='CAMLabelLoop', cam_dir='work_dirs/cams', threshold=0.15)
test_evaluator = [dict(type='CAMMetric', threshold=0.15), dict(type='LabelMetric', prefix='pseudo_label')]
