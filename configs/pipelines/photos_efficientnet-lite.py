# One's own photos and tags in, a segmentation model out, in minutes on two CPU cores:
# python tools/train.py configs/pipelines/photos_efficientnet-lite.py --data-root FOLDER
_base_ = '../_base_/pipeline.py'
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/cam_efficientnet-lite2_1xb8-120i_photos-225px.py'),
    foreground=dict(
        kind='test',
        config='{classifier.config}',
        checkpoint='{classifier.checkpoint}',
        options={'test_cfg': dict(type='ForegroundLoop', cam_dir='{cam.out_dir}', layers=('blocks.3', 'blocks.4'))},
    ),
    # no affinities and no walk: pseudo labels straight from the CAMs, by a dense CRF
    affinity_label=None,
    affinity=None,
    walk=None,
    pseudo_label=dict(
        config='{{ fileDirname }}/../pseudo_label/pseudo-label_photos.py',
        options={'_delete_': True, 'test_cfg.cam_dir': '{foreground.out_dir}'},
    ),
    segmentation=dict(
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_efficientnet-lite2-d16_1xb8-200i_photos-225x225.py',
        options={'model.tagger.init_cfg.checkpoint': '{classifier.checkpoint}'},
    ),
)
