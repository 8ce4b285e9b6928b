# Confident labels for IRNet, of the CAMs in cam_dir. These CAMs are faint on the bodies, so that IRNet's thresholds
# (0.3, 0.05) would call many of them background.
_base_ = ['../_base_/datasets/embedded.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_cfg = dict(type='AffinityLabelLoop', cam_dir=None, method='irnet', fg_threshold=0.2, bg_threshold=0.01)
test_evaluator = dict(type='LabelMetric', prefix='affinity_label')
