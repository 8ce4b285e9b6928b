_base_ = [
    '../_base_/models/cam_resnet18-w16-d16.py',
    '../_base_/datasets/embedded_112px.py',
    '../_base_/schedules/schedule_cam-embedded_12e.py',
    '../_base_/default_runtime.py',
]
