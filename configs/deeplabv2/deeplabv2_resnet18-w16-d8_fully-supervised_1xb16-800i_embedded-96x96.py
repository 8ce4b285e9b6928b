# The upper bound: the same training with the masks that were drawn.
_base_ = './deeplabv2_resnet18-w16-d8_1xb16-800i_embedded-96x96.py'
train_dataloader = dict(dataset=dict(data_prefix=dict(seg_map_path='SegmentationClass')))
