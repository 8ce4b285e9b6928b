# A few minutes on one CPU core: the first half of the backbone stays as ImageNet made it, as in the classifiers.
_base_ = [
    '../_base_/models/deeplabv2_mobilenet-v2-d16.py',
    '../_base_/datasets/voc-animals_segmentation_225x225.py',
    '../_base_/schedules/schedule_deeplabv2_20k.py',
    '../_base_/segmentation_runtime.py',
    '../_base_/test_time.py',
]
model = dict(backbone=dict(frozen_stages=4))
optim_wrapper = dict(optimizer=dict(lr=4e-4), clip_grad=dict(max_norm=10, norm_type=2))
# Without warm-up the head overshoots on these features and stays with the background for a while.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=30, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=30, end=400, by_epoch=False),
]
train_cfg = dict(max_iters=400, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=100))
custom_hooks = [dict(type='mmamr.ChannelsLastHook')]
