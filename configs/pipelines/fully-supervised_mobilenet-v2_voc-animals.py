# The upper bound: the same segmentation model, trained and measured in the same way, on real masks.
runner_type = 'WSSSRunner'
stages = dict(
    segmentation=dict(
        kind='train',
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py',
        options={'train_dataloader.dataset.mask_dir': 'SegmentationClass'},
    ),
    evaluation=dict(kind='test', config='{segmentation.config}', checkpoint='{segmentation.checkpoint}'),
    # the same model at its best: scales, mirror image and CRF
    evaluation_test_time=dict(
        kind='test',
        config='{segmentation.config}',
        checkpoint='{segmentation.checkpoint}',
        options={'test_time.ms': True, 'test_time.flip': True, 'test_time.crf': True},
    ),
)
