_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# the gradient flows through the mean and the deviation of the attention, too
model = dict(compensation=dict(modulation=dict(amm=dict(function=dict(detach=False, type='GaussianModulation')))))
