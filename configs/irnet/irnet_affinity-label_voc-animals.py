# Confident labels for IRNet, of the CAMs in cam_dir: IRNet's own thresholds.
_base_ = ['../_base_/datasets/voc-animals.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_cfg = dict(type='AffinityLabelLoop', cam_dir=None, method='irnet', fg_threshold=0.3, bg_threshold=0.05)
test_evaluator = dict(type='LabelMetric', prefix='affinity_label')
