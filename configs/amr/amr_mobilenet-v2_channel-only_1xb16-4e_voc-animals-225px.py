_base_ = './amr_mobilenet-v2_wo-cps_1xb16-4e_voc-animals-225px.py'
# AMM_c of Table 3
model = dict(compensation=dict(modulation=dict(amm=dict(spatial=None))))
