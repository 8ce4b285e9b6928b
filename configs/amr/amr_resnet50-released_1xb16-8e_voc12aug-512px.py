# The second of the released code's two runs. Its spotlight is the classifier of
# cam_resnet50-released_1xb16-8e_voc12aug-512px.py.
_base_ = [
    '../_base_/models/amr_resnet50-d16_released.py',
    '../_base_/datasets/voc12aug_512px.py',
    '../_base_/schedules/schedule_cam_8e.py',
    '../_base_/default_runtime.py',
]
load_from = 'work_dirs/cam_resnet50-released_1xb16-8e_voc12aug-512px/epoch_8.pth'
# Row T6: the weight decay arrives where SGD takes its momentum, and in its own place through the groups. Row T7: rates.
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=0.1)}),
)
# Rows C1, C4: adversarial climbing.
test_cfg = dict(climb=dict(steps=27, step_size=0.08, coefficient=7.0, threshold=0.5, weighting='released'))
