# mmseg's SegFormer-B2, its optimiser, and mmseg's crops of VOC 2012; the data set is ours, and what makes it resume with
# the same random numbers.
_base_ = [
    'mmseg::_base_/models/segformer_mit-b0.py',
    'mmseg::_base_/datasets/pascal_voc12_aug.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_20k.py',
    '../_base_/test_time.py',
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        embed_dims=64,
        num_layers=[3, 4, 6, 3],
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/mit_b2_20220624-66e8bf70.pth',
        ),
    ),
    decode_head=dict(in_channels=[64, 128, 320, 512], num_classes=21, loss_decode=dict(avg_non_ignore=True)),
)
class_heads = dict(background=['model.decode_head'])
train_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), *_base_.train_pipeline[2:]]
resize = dict(type='Resize', scale=(2048, 512), keep_ratio=True)
# the mask keeps its size
test_pipeline = [dict(type='mmamr.LoadImage'), resize, dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
dataset = dict(type='mmamr.SegmentationDataset', data_root='{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}')
train_dataloader = dict(
    batch_size=16,
    # label_dir names the folder whose labels train; without it they are masks in the folder of the data set.
    dataset=dict(
        _delete_=True,
        **dataset,
        split='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClassPseudo',
        label_dir=None,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **dataset,
        split='ImageSets/Segmentation/val.txt',
        mask_dir='SegmentationClass',
        pipeline=test_pipeline,
    )
)
test_dataloader = dict(dataset=dict(**val_dataloader['dataset']))
val_evaluator = test_evaluator = dict(type='mmamr.SegmentationMetric')
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys={'pos_block': dict(decay_mult=0.0), 'norm': dict(decay_mult=0.0), 'head': dict(lr_mult=10.0)}
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=1500, by_epoch=False),
    dict(type='PolyLR', eta_min=0.0, power=1.0, begin=1500, end=20000, by_epoch=False),
]
randomness = dict(seed=0)
custom_imports = dict(imports=['mmamr.registry'], allow_failed_imports=False)
default_hooks = dict(randomness=dict(type='mmamr.ResumableRandomnessHook'))
