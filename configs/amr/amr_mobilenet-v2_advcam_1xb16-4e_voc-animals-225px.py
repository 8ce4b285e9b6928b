# The CAM stage with adversarial climbing (AdvCAM); the training is that of the base. AdvCAM itself has 27 steps, and a
# regulariser of weight 7, which does harm here. With other classifiers: the same two options.
_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
test_cfg = dict(climb=dict(steps=3, coefficient=0.0))
