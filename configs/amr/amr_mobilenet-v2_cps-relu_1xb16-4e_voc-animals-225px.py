_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# maps after ReLU, as released
model = dict(loss_cps=dict(relu=True))
