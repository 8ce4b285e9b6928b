_base_ = [
    '../_base_/models/irnet_r50.py', '../_base_/datasets/voc12aug_affinity-label_512x512.py',
    '../_base_/schedules/schedule_irnet_3e.py', '../_base_/default_runtime.py'
]
