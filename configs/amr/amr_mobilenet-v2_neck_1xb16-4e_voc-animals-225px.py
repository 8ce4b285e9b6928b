_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# AMM after the last feature map, where the paper draws it
model = dict(compensation=dict(modulation=None, neck=dict(type='AMMNeck', in_channels=320)))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=10.0)}))
