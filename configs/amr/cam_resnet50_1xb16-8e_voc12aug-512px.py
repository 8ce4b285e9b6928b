_base_ = [
    '../_base_/models/cam_resnet50-d16.py',
    '../_base_/datasets/voc12aug_512px.py',
    '../_base_/schedules/schedule_cam_8e.py',
    '../_base_/default_runtime.py',
]
