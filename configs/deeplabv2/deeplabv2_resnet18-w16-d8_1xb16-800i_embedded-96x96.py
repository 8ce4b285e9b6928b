# DeepLab-v2's head on the narrow ResNet-18 of the embedded data set, output stride 8; at 96 px the rates are small.
_base_ = [
    '../_base_/datasets/embedded.py',
    '../_base_/schedules/deeplabv2_20k.py',
    '../_base_/segmentation_runtime.py',
]
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(96, 96),
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=16,
        stem_channels=16,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 1, 1),
        out_indices=(3,),
    ),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=128,
        in_index=0,
        dilations=(1, 2, 3, 4),
        num_classes=8,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
class_heads = dict(background=['model.decode_head'])
crop_size = (96, 96)
train_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='mmamr.LoadMask'),
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=scale, keep_ratio=True)] for scale in (1.0, 1.25, 1.5)],
    ),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
dataset = dict(type='mmamr.EmbeddedSegmentationDataset')
train_dataloader = dict(
    _delete_=True,
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    # label_dir names the folder whose labels train; without it they are masks in the folder of the data set.
    dataset=dict(
        **dataset,
        split='ImageSets/Segmentation/train.txt',
        mask_dir='SegmentationClassPseudo',
        label_dir=None,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        **dataset,
        split='ImageSets/Segmentation/val.txt',
        mask_dir='SegmentationClass',
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(**val_dataloader)
test_evaluator = dict(type='mmamr.SegmentationMetric', iou_metrics=['mIoU'])
val_evaluator = dict(_delete_=True, **test_evaluator)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01), paramwise_cfg=None)
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=800, by_epoch=False)]
train_cfg = dict(max_iters=800, val_interval=800)
default_hooks = dict(checkpoint=dict(interval=100))
