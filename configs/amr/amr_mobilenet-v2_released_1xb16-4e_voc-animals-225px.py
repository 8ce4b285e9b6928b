_base_ = './amr_mobilenet-v2_frozen-spotlight_1xb16-4e_voc-animals-225px.py'
# The released code's choices (A1-A5, T1-T5) with the optimizer, the photos and the CAM stage of the default.
amm = dict(
    channel=dict(layer='mlp', reduction=16),
    spatial=dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01)),
    function=dict(type='GaussianModulation', form='pdf', statistics='batch', unbiased=True),
)
model = dict(
    compensation=dict(detach_after='layer5', modulation=dict(amm=amm)),
    loss_cls=dict(loss_weight=1.0),
    loss_cps=dict(loss_weight=0.05, relu=True, samples='first-pair'),
)
find_unused_parameters = True
