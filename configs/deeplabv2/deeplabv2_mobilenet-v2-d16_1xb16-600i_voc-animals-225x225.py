_base_ = [
    '../_base_/models/deeplabv2_mobilenet-v2-d16.py', '../_base_/datasets/voc-animals_segmentation_225x225.py',
    '../_base_/schedules/schedule_deeplabv2_20k.py', '../_base_/segmentation_runtime.py', '../_base_/test_time.py'
]
# At 3e-4 the head overshoots on these features and stays with the background for the first 60 iterations.
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=600, by_epoch=False)]
train_cfg = dict(max_iters=600, val_interval=600)
default_hooks = dict(checkpoint=dict(interval=100))
