_base_ = [
    '../_base_/models/affinitynet_r50.py',
    '../_base_/datasets/embedded_affinity-label_96x96.py',
    '../_base_/schedules/schedule_affinitynet_8e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(
        _delete_=True,
        type='mmseg.ResNet',
        depth=18,
        base_channels=16,
        stem_channels=16,
        out_indices=(1, 2, 3),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 1, 1),
        norm_eval=True,
    ),
    head=dict(in_channels=(32, 64, 128), channels=(16, 32, 32)),
    # The maps are 12 to 16 cells wide: few steps, to near neighbours, without a border of pixels that start no pair.
    walk_cfg=dict(radius=2, exp_times=3, border=0),
)
optim_wrapper = dict(optimizer=dict(lr=0.03, momentum=0.9))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=8, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=8)
custom_hooks = [dict(type='ChannelsLastHook')]
# These CAMs are faint on the bodies, so the background takes a high power.
test_cfg = dict(powers=(64.0, 128.0, 256.0, 512.0), power=256.0)
test_evaluator = [
    dict(type='CAMMetric', threshold=256.0, prefix='walk'),
    dict(type='LabelMetric', prefix='pseudo_label'),
]
