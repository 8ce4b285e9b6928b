# IRNet's own classifier, its schedule and scales, on MobileNetV2.
_base_ = [
    '../_base_/models/cam_mobilenet-v2-d16.py',
    '../_base_/datasets/voc-animals_225px.py',
    '../_base_/schedules/schedule_cam-irnet_5e.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(head=dict(num_classes=5)))
# At IRNet's rate of 0.1 the loss of this network is NaN within an epoch.
optim_wrapper = dict(optimizer=dict(lr=0.03), clip_grad=dict(max_norm=10.0))
