# Confident labels for IRNet, of the CAMs in cam_dir: thresholds of AMR's released code (row P1).
_base_ = ['../_base_/datasets/voc12aug.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_cfg = dict(type='AffinityLabelLoop', cam_dir=None, method='irnet', fg_threshold=0.6, bg_threshold=0.33)
test_evaluator = dict(type='LabelMetric', prefix='affinity_label')
