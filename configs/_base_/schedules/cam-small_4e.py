# For a few hundred photos on two CPU cores: 4 epochs, new layers at ten times the learning rate, two scales.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=4, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg = dict()
test_cfg = dict(type='CAMLoop', scales=(0.75, 1.25))
test_evaluator = dict(type='CAMMetric', xis=(0.1, 0.3, 0.5, 0.7, 0.9))
# The CAMs of the same four images after each epoch, in TensorBoard and vis_data/vis_image.
custom_hooks = [dict(type='CAMVisualizationHook', num=4)]
