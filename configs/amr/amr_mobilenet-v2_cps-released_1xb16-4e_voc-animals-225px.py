_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# weight 0.05 and maps after ReLU, as released
model = dict(loss_cps=dict(loss_weight=0.05, relu=True))
