_base_ = [
    '../_base_/models/affinitynet_resnet50.py',
    '../_base_/datasets/voc-animals_affinity.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(257, 257)),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.MobileNetV2',
        out_indices=(2, 4, 6),
        frozen_stages=2,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(
            type='StrictPretrained',
            checkpoint='{{$MMAMR_MOBILENET_V2:checkpoints/mobilenet_v2.pth}}',
            prefix='backbone.',
        ),
    ),
    head=dict(in_channels=(32, 96, 320)),
    # The maps are small, 30x40: without a border of pixels that start no pair, and with fewer steps.
    walk_cfg=dict(exp_times=6, border=0),
)
train_dataloader = dict(dataset=dict(label_dir='work_dirs/affinitynet_affinity-label_voc-animals/affinity_labels'))
optim_wrapper = dict(optimizer=dict(lr=0.01, momentum=0.9))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=4, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=4)
test_evaluator = dict(threshold=8.0)
custom_hooks = [dict(type='ChannelsLastHook')]
