_base_ = [
    '../_base_/models/amr_resnet50-d16.py',
    '../_base_/datasets/voc12aug_512px.py',
    '../_base_/schedules/schedule_cam_8e.py',
    '../_base_/default_runtime.py',
]
# new layers at ten times the learning rate, as in the small configs and in the released plain classifier (row T7)
optim_wrapper = dict(
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
