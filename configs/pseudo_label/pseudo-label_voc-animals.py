# Pseudo labels of what is in cam_dir: CAMs, for which the threshold is, or walks, for which the pipelines set it.
_base_ = ['../_base_/datasets/voc-animals.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_cfg = dict(type='PseudoLabelLoop', cam_dir=None, threshold=0.15)
test_evaluator = dict(type='LabelMetric', prefix='pseudo_label')
