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
# Then the walk, of CAMs that the CAM stage made.
test_cfg = dict(type='PseudoLabelLoop', cam_dir='work_dirs/cams', threshold=0.25)
test_evaluator = [
    dict(type='CAMMetric', threshold=0.25, prefix='walk'),
    dict(type='LabelMetric', prefix='pseudo_label'),
]
