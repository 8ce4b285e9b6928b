_base_ = [
    '../_base_/models/irnet_resnet18-w16.py',
    '../_base_/datasets/embedded_affinity-label_96x96.py',
    '../_base_/schedules/schedule_irnet_3e.py',
    '../_base_/default_runtime.py',
]
optim_wrapper = dict(optimizer=dict(lr=0.1, momentum=0.9))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=16, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=16)
# 2⁵ steps: at stride 4 these pictures are 24 to 32 cells wide, and 2⁸ steps cross them.
model = dict(walk_cfg=dict(exp_times=5))
test_cfg = dict(threshold=0.15)
test_evaluator = [
    dict(type='CAMMetric', threshold=0.15, prefix='walk'),
    dict(type='LabelMetric', prefix='pseudo_label'),
]
