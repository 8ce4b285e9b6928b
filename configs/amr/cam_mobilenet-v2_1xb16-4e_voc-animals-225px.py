_base_ = [
    '../_base_/models/cam_mobilenet-v2.py',
    '../_base_/datasets/voc-animals.py',
    '../_base_/default_runtime.py',
]
model = dict(spotlight=dict(head=dict(num_classes=5)))
