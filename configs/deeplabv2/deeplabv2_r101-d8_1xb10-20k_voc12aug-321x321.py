# DeepLab-v2 with a plain ResNet-101 (torchvision's names and weights), output stride 8.
_base_ = [
    '../_base_/datasets/voc12aug.py',
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
        size=(321, 321),
    ),
    backbone=dict(
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(3,),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        # The statistics of ImageNet stay: ten crops are few to estimate others from.
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(type='StrictPretrained', checkpoint='torchvision://resnet101', unused=('fc.',)),
    ),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=2048,
        in_index=0,
        dilations=(6, 12, 18, 24),
        num_classes=21,
        align_corners=False,
        # Pseudo labels leave pixels out (255); the loss is a mean over those that count.
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
class_heads = dict(background=['model.decode_head'])
crop_size = (321, 321)
train_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='mmamr.LoadMask'),
    dict(
        type='RandomChoice',
        transforms=[
            [dict(type='Resize', scale_factor=scale, keep_ratio=True)] for scale in (0.5, 0.75, 1.0, 1.25, 1.5)
        ],
    ),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
dataset = dict(type='mmamr.SegmentationDataset', data_root=_base_.data_root)
train_dataloader = dict(
    _delete_=True,
    batch_size=10,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    # label_dir names the folder whose labels train; without it they are masks in the folder of the data set.
    dataset=dict(
        **dataset,
        split='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClassPseudo',
        label_dir=None,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=4,
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
