# The upper bound: the same training with the masks that people drew.
_base_ = './deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py'
train_dataloader = dict(dataset=dict(data_prefix=dict(seg_map_path='SegmentationClass')))
