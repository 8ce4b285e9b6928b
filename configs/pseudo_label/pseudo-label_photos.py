# Pseudo labels of one's own photos from the CAMs in cam_dir: a dense CRF fits them to the photo; the background
# threshold is chosen by itself, without masks.
_base_ = ['../_base_/datasets/photos.py', '../_base_/default_runtime.py']
model = dict(type='NoModel')
train_dataloader = val_dataloader = val_evaluator = None
test_cfg = dict(type='PseudoLabelLoop', cam_dir=None, threshold='auto', crf=dict())
test_evaluator = dict(type='LabelMetric', prefix='pseudo_label')
