# Of IRNet's classifier: 5 epochs of batches of 16 at learning rate 0.1, its head ten times faster. Its optimiser takes
# weight decay where SGD takes momentum, so it has none to speak of (1e-4).
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.0, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={
        'head': dict(lr_mult=10.),
        'amm': dict(lr_mult=10.)
    }))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=5, by_epoch=True, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=5, val_interval=1)
val_cfg = dict()
test_cfg = dict(type='CAMLoop', scales=(1.0, 0.5, 1.5, 2.0))
test_evaluator = dict(type='CAMMetric', threshold=0.15, xis=(0.1, 0.3, 0.5, 0.7, 0.9))
auto_scale_lr = dict(base_batch_size=16, enable=False)
# The CAMs of the same four images after each epoch, in TensorBoard and vis_data/vis_image.
custom_hooks = [dict(type='CAMVisualizationHook', num=4)]
