_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# the released channel attention, an MLP in the place of the 1×1 convolution
model = dict(compensation=dict(modulation=dict(amm=dict(channel=dict(layer='mlp', reduction=16)))))
