# For two hundred photos of all classes at full size: twice as long as on voc-animals, at three times the rate, and
# smaller scales.
_base_ = [
    '../_base_/models/cam_mobilenet-v2.py',
    '../_base_/datasets/voc07-mini.py',
    '../_base_/schedules/cam-small_4e.py',
    '../_base_/default_runtime.py',
]
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=8, val_interval=8)
test_cfg = dict(scales=(0.4, 0.8))
