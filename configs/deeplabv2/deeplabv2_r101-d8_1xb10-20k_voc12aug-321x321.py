_base_ = [
    '../_base_/models/deeplabv2_r101-d8.py',
    '../_base_/datasets/voc12aug_segmentation_321x321.py',
    '../_base_/schedules/schedule_deeplabv2_20k.py',
    '../_base_/segmentation_runtime.py',
    '../_base_/test_time.py',
]
