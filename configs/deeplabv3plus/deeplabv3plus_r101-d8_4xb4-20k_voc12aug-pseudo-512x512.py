# mmseg's deeplabv3plus_r101-d8_4xb4-20k_voc12aug-512x512; the data set is ours, and what makes it resume with the same
# random numbers.
_base_ = [
    'mmseg::_base_/models/deeplabv3plus_r50-d8.py',
    '../_base_/datasets/voc12aug_mmseg.py',
    'mmseg::_base_/schedules/schedule_20k.py',
    '../_base_/segmentation_runtime.py',
]
model = dict(
    pretrained='open-mmlab://resnet101_v1c',
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(depth=101),
    decode_head=dict(num_classes=21, loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(num_classes=21, loss_decode=dict(avg_non_ignore=True)),
)
class_heads = dict(background=['model.decode_head', 'model.auxiliary_head'])
env_cfg = dict(cudnn_benchmark=True)  # as mmseg has it
default_hooks = dict(randomness=dict(type='mmamr.ResumableRandomnessHook'))
