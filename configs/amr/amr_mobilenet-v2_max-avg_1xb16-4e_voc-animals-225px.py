_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# the released spatial attention: maximum and mean over channels, BatchNorm after the convolution
spatial = dict(pooling='max-avg', norm_cfg=dict(type='BN', momentum=0.01))
model = dict(compensation=dict(modulation=dict(amm=dict(spatial=spatial))))
