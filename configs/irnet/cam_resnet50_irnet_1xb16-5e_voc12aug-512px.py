# IRNet's own classifier: the gradient stops behind the second stage; 5 epochs of batches of 16 at learning rate 0.1, the
# head ten times faster. Its optimiser takes weight decay where SGD takes momentum, so it has none to speak of (1e-4).
_base_ = '../amr/cam_resnet50_1xb16-8e_voc12aug-512px.py'
model = dict(spotlight=dict(backbone=dict(frozen_stages=2)))
optim_wrapper = dict(
    optimizer=dict(lr=0.1, momentum=0.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=5, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=5)
test_cfg = dict(scales=(1.0, 0.5, 1.5, 2.0))
test_evaluator = dict(threshold=0.15)
