_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
model = dict(compensation=dict(modulation=dict(amm=dict(function=dict(type='ThresholdModulation')))))
find_unused_parameters = True
