_base_ = [
    '../_base_/models/affinitynet_resnet50.py',
    '../_base_/datasets/embedded_affinity.py',
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
train_dataloader = dict(dataset=dict(label_dir='work_dirs/affinitynet_affinity-label_embedded/affinity_labels'))
optim_wrapper = dict(optimizer=dict(lr=0.03, momentum=0.9))
custom_hooks = [dict(type='ChannelsLastHook')]
# These CAMs are faint on the bodies, so the background takes a high power.
test_cfg = dict(powers=(64.0, 128.0, 256.0, 512.0))
test_evaluator = dict(threshold=256.0)
