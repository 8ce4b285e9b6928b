_base_ = [
    '../_base_/models/seam_mobilenet-v2-d16.py',
    '../_base_/datasets/voc-animals_225px.py',
    '../_base_/schedules/schedule_cam-small_4e.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(head=dict(num_classes=5)))
