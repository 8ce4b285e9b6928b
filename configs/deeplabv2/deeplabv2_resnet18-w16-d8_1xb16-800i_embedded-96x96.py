_base_ = [
    '../_base_/models/deeplabv2_resnet18-w16-d8.py',
    '../_base_/datasets/embedded_segmentation_96x96.py',
    '../_base_/schedules/schedule_deeplabv2_20k.py',
    '../_base_/segmentation_runtime.py',
    '../_base_/test_time.py',
]
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01), paramwise_cfg=None)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=800, by_epoch=False)]
train_cfg = dict(max_iters=800, val_interval=800)
default_hooks = dict(checkpoint=dict(interval=100))
