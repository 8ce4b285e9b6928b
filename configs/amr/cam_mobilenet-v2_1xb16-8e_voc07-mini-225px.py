_base_ = [
    '../_base_/models/cam_mobilenet-v2-d16.py',
    '../_base_/datasets/voc07-mini_225px.py',
    '../_base_/schedules/schedule_cam-small_8e.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(head=dict(num_classes=20)))
