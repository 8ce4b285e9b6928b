# The recipe of DeepLab-v2: SGD, the head's weights ten times and its biases twenty times faster and without weight
# decay, poly 0.9.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    # The longest key that a parameter's name contains counts, and `bias_lr_mult` does not beside it: so the biases are
    # named one by one.
    paramwise_cfg=dict(
        custom_keys={
            'decode_head.convs': dict(lr_mult=10.0),
            **{f'decode_head.convs.{branch}.bias': dict(lr_mult=20.0, decay_mult=0.0) for branch in range(4)},
        }
    ),
)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=20000, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2000, max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
    randomness=dict(type='mmamr.ResumableRandomnessHook'),
)
