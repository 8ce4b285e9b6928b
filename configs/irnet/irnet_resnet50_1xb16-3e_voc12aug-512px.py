_base_ = [
    '../_base_/models/irnet_resnet50.py',
    '../_base_/datasets/voc12aug_affinity.py',
    '../_base_/schedules/irnet_3e.py',
    '../_base_/default_runtime.py',
]
# Row P2: AMR's released code takes CAMs to this power before the walk.
test_cfg = dict(cam_power=1.5)
