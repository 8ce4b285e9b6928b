_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# as released, L_cps compares one map: the first of the batch plus the mirrored second
model = dict(loss_cps=dict(samples='first-pair'))
