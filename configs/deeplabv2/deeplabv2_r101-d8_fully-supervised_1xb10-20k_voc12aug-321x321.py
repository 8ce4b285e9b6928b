# The upper bound: the same training with the masks that people drew.
_base_ = './deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
train_dataloader = dict(dataset=dict(data_prefix=dict(seg_map_path='SegmentationClassAug')))
