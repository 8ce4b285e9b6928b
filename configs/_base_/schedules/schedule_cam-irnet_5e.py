# Of IRNet's classifier: 5 epochs of batches of 16 at learning rate 0.1, its head ten times faster. Its optimiser takes
# weight decay where SGD takes momentum, so it has none to speak of (1e-4).
_base_ = './schedule_cam_8e.py'
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
