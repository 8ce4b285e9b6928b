# The first of the released code's two runs: a plain CAM classifier, with erased squares.
_base_ = [
    '../_base_/models/cam_resnet50-d16.py',
    '../_base_/datasets/voc12aug_512px-erase.py',
    '../_base_/schedules/schedule_cam_8e.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(backbone=dict(frozen_stages=1)))
# Row T6: the weight decay arrives where SGD takes its momentum, and in its own place through the groups. Row T7: rates.
optim_wrapper = dict(
    optimizer=dict(lr=0.01, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0)}),
)
test_dataloader = dict(batch_size=1)
