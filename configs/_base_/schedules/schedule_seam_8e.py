# As SEAM's release: 8 epochs of batches of 8, poly 0.9, new layers ten times faster. Its optimiser takes weight decay
# where SGD takes momentum, so it has none to speak of (5e-4).
_base_ = './schedule_cam_8e.py'
optim_wrapper = dict(
    optimizer=dict(momentum=0.0, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.0), 'amm': dict(lr_mult=10.0)}),
)
test_cfg = dict(scales=(0.5, 1.0, 1.5, 2.0))
auto_scale_lr = dict(base_batch_size=8)
