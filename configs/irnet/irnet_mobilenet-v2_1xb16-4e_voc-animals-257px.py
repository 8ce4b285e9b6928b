_base_ = [
    '../_base_/models/irnet_resnet50.py',
    '../_base_/datasets/voc-animals_affinity.py',
    '../_base_/schedules/irnet_3e.py',
    '../_base_/default_runtime.py',
]
model = dict(
    data_preprocessor=dict(size=(257, 257)),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.MobileNetV2',
        out_indices=(1, 2, 4, 5, 6),
        init_cfg=dict(
            type='StrictPretrained',
            checkpoint='{{$MMAMR_MOBILENET_V2:checkpoints/mobilenet_v2.pth}}',
            prefix='backbone.',
        ),
    ),
    taps=None,
    edge_head=dict(in_channels=(24, 32, 96, 160, 320), strides=(4, 8, 16, 32, 32)),
    displacement_head=dict(
        in_channels=(24, 32, 96, 160, 320),
        strides=(4, 8, 16, 32, 32),
        channels=(32, 64, 64, 64, 64),
        merged_channels=64,
    ),
    walk_cfg=dict(exp_times=7),
)
optim_wrapper = dict(optimizer=dict(momentum=0.9))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=4, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=4)
# After a walk of 2⁷ steps the largest scores have spread over the object, and the best threshold is high.
test_evaluator = dict(threshold=0.55)
