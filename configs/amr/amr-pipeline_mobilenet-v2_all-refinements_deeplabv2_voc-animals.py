# Every way from CAMs to pseudo labels, side by side: CRF alone, IRNet (which goes on to the segmentation) and AffinityNet.
_base_ = './amr-pipeline_mobilenet-v2_irnet_deeplabv2_voc-animals.py'
stages = dict(
    crf_label=dict(
        kind='test',
        config='{{ fileDirname }}/cam-crf-label_voc-animals.py',
        options={'test_dataloader.dataset.pipeline.1.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet_label=dict(
        kind='test',
        config='{{ fileDirname }}/../affinitynet/affinitynet_affinity-label_voc-animals.py',
        options={'test_dataloader.dataset.pipeline.1.cam_dir': '{cam.out_dir}'},
    ),
    affinitynet=dict(
        kind='train',
        config='{{ fileDirname }}/../affinitynet/affinitynet_mobilenet-v2_1xb16-4e_voc-animals-257px.py',
        options={'train_dataloader.dataset.label_dir': '{affinitynet_label.out_dir}'},
    ),
    affinitynet_pseudo_label=dict(
        kind='test',
        config='{affinitynet.config}',
        checkpoint='{affinitynet.checkpoint}',
        options={'test_cfg.cam_dir': '{cam.out_dir}'},
    ),
)
