# DeepLab-v2's head on MobileNetV2, to train on two CPU cores; at output stride 16 the rates are half those of stride 8.
_base_ = [
    '../_base_/datasets/voc-animals.py',
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
        size=(225, 225),
    ),
    # The first half of the backbone stays as ImageNet made it, as in the classifiers.
    backbone=dict(
        type='MobileNetV2',
        frozen_stages=4,
        out_indices=(1, 2, 4, 6),
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(
            type='StrictPretrained',
            checkpoint='{{$MMAMR_MOBILENET_V2:checkpoints/mobilenet_v2.pth}}',
            prefix='backbone.',
            unused=('conv2.',),
        ),
    ),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=320,
        in_index=3,
        dilations=(3, 6, 9, 12),
        num_classes=6,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
class_heads = dict(background=['model.decode_head'])
crop_size = (225, 225)
# tags: where train_dataloader.dataset.labels are asked for, as by model.type=mmamr.PseudoLabelSegmentor
meta_keys = (
    *('img_path', 'seg_map_path', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor', 'flip', 'flip_direction'),
    *('reduce_zero_label', 'tags'),
)
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
    dict(type='PackSegInputs', meta_keys=meta_keys),
]
test_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
dataset = dict(type='mmamr.SegmentationDataset', data_root=_base_.data_root, metainfo=_base_.metainfo)
train_dataloader = dict(
    _delete_=True,
    batch_size=16,
    num_workers=2,
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
    num_workers=2,
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
optim_wrapper = dict(optimizer=dict(lr=4e-4), clip_grad=dict(max_norm=10, norm_type=2))
# Without warm-up the head overshoots on these features and stays with the background for a while.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=30, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=30, end=400, by_epoch=False),
]
train_cfg = dict(max_iters=400, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=100))
custom_hooks = [dict(type='mmamr.ChannelsLastHook')]
