# As the released code: the head at ten times the rate, no momentum to speak of.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.0, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8)
# Then the walk of the CAMs of cam_dir; the background walks along, to each of these powers.
test_cfg = dict(type='WalkLoop', cam_dir=None, powers=(4.0, 8.0, 16.0, 24.0, 32.0))
test_evaluator = dict(type='CAMMetric', threshold=16.0, prefix='walk')
