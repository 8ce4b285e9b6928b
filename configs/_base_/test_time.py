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
