# Of every segmentation model: an mmseg config, in mmseg's scope; what is ours is called 'mmamr.…'.
default_scope = 'mmseg'
custom_imports = dict(imports=['mmamr.registry'], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=False,  # image sizes vary
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
# What tools/test.py does at test time: --cfg-options test_time.ms=True test_time.flip=True test_time.crf=True. Each
# switch that is on is named in front of the metrics (ms_flip_crf/mIoU). The CRF is DeepLab-v2's.
test_time = dict(
    ms=False,
    scales=(0.5, 0.75, 1.0, 1.25, 1.5),
    flip=False,
    crf=False,
    crf_params=dict(
        iterations=10, gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4
    ),
)
