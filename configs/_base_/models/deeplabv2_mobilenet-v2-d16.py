# DeepLab-v2's head on MobileNetV2, to train on two CPU cores; at output stride 16 the rates are half those of stride 8.
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
    backbone=dict(
        type='MobileNetV2',
        out_indices=(1, 2, 4, 6),
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(
            type='StrictPretrained',
            checkpoint='{{$MMAMR_MOBILENET_V2:../shared/weights/mobilenet_v2_imagenet_backbone.pth}}',
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
