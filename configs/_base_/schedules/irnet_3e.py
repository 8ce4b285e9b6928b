# The released optimiser takes weight decay where SGD takes momentum, so it has none to speak of (1e-4).
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.0, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'displacement_head': dict(lr_mult=10)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=3, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3)
custom_hooks = [dict(type='MeanDisplacementHook')]
# Then the walk of the CAMs of cam_dir.
test_cfg = dict(type='WalkLoop', cam_dir=None)
test_evaluator = dict(type='CAMMetric', threshold=0.25, prefix='walk')
