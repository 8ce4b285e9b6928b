# The CAM stage with adversarial climbing (AdvCAM); the training is that of the base. AdvCAM itself has 27 steps, and a
# regulariser of weight 7.
_base_ = './amr_resnet18-w16_1xb8-12e_embedded-112px.py'
test_cfg = dict(climb=dict(steps=3, coefficient=0.0))
