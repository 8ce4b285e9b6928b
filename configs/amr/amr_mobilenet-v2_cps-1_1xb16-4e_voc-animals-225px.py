_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
model = dict(loss_cps=dict(loss_weight=1.0))
