_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# The paper's choices: AMM after the last map, half of L_cls a branch, L_cps of weight 1.
model = dict(
    compensation=dict(modulation=None, neck=dict(type='AMMNeck', in_channels=320)),
    loss_cls=dict(loss_weight=1.0),
    loss_cps=dict(loss_weight=1.0, relu=False),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=10.0)}))
