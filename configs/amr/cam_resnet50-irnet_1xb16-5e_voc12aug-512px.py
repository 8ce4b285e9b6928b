# IRNet's own classifier: the gradient stops behind the second stage.
_base_ = [
    '../_base_/models/cam_resnet50-d16.py',
    '../_base_/datasets/voc12aug_512px.py',
    '../_base_/schedules/schedule_cam-irnet_5e.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(backbone=dict(frozen_stages=2)))
