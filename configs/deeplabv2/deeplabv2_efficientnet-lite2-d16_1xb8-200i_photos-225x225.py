# A segmentation head of DeepLab-v2's kind on EfficientNet-Lite2, for one's own photos on two CPU cores. The backbone is
# fixed, as in the classifier, which is asked at test time which classes a photo shows.
_base_ = [
    '../_base_/datasets/photos.py',
    '../_base_/schedules/deeplabv2_20k.py',
    '../_base_/segmentation_runtime.py',
]
model = dict(
    type='mmamr.TagGatedSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(225, 225),
    ),
    backbone=dict(
        type='mmamr.EfficientNetLite',
        arch='lite2',
        out_indices=(7,),
        output_stride=16,
        frozen_stages=8,
        dropout_ratio=0.3,
        norm_eval=True,
        precision='auto',
        init_cfg=dict(type='EfficientNetLitePretrained', arch='lite2'),
    ),
    decode_head=dict(
        type='mmamr.ASPPV2Head',
        in_channels=1280,
        in_index=0,
        dilations=(1, 3),
        init_cfg=dict(type='Normal', layer='Conv2d', std=0.001),
        num_classes=2,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True),
    ),
    # the branch of cam_efficientnet-lite2_1xb8-120i_photos-225px.py, at the stride that it was trained with
    tagger=dict(
        type='mmamr.CAMBranch',
        backbone=dict(
            type='mmamr.EfficientNetLite',
            arch='lite2',
            out_indices=(7,),
            output_stride=32,
            norm_eval=True,
            precision='auto',
        ),
        head=dict(type='mmamr.CAMHead', num_classes=1, in_channels=1280),
        init_cfg=dict(type='StrictPretrained', checkpoint=None, prefix='spotlight.'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
class_heads = dict(background=['model.decode_head'], foreground=['model.tagger.head'])
crop_size = (225, 225)
train_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='mmamr.LoadMask'),
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='mmamr.LoadImage'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='mmamr.LoadMask'),
    dict(type='PackSegInputs'),
]
dataset = dict(
    type='mmamr.SegmentationDataset',
    data_root=_base_.data_root,
    metainfo=_base_.metainfo,
    max_long_side=_base_.max_long_side,
)
train_dataloader = dict(
    _delete_=True,
    batch_size=8,
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
test_dataloader = dict(**{**val_dataloader, '_delete_': True})
test_evaluator = dict(type='mmamr.SegmentationMetric', iou_metrics=['mIoU'])
val_evaluator = dict(_delete_=True, **test_evaluator)
optim_wrapper = dict(optimizer=dict(lr=2e-4), clip_grad=dict(max_norm=10, norm_type=2))
# Without warm-up the head overshoots on these features and stays with the background for a while.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=30, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=0.0, begin=30, end=200, by_epoch=False),
]
train_cfg = dict(max_iters=200, val_interval=200)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
custom_hooks = [dict(type='mmamr.ChannelsLastHook')]
test_time = dict(ms=True, scales=(0.75, 1.0), flip=True, crf=True)
