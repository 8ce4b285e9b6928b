_base_ = [
    '../_base_/models/seam_resnet38-d8.py',
    '../_base_/datasets/voc12aug_448px-jitter.py',
    '../_base_/schedules/schedule_seam_8e.py',
    '../_base_/default_runtime.py',
]
