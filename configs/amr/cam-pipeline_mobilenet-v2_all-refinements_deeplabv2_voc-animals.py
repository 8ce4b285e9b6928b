# The plain CAM classifier in the place of AMR; its CAMs are higher, and so is the best threshold before the CRF.
_base_ = './amr-pipeline_mobilenet-v2_all-refinements_deeplabv2_voc-animals.py'
stages = dict(
    classifier=dict(config='{{ fileDirname }}/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'),
    crf_label=dict(options={'test_dataloader.dataset.pipeline.2.threshold': 0.25}),
)
