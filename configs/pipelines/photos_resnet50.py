# One's own photos and tags in, a segmentation model out, on a GPU, from ImageNet weights that torchvision downloads:
# python tools/train.py configs/pipelines/photos_resnet50.py --data-root FOLDER
_base_ = './photos_efficientnet-lite.py'
train = 'ImageSets/Segmentation/train.txt'
options = {'max_long_side': 500}
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/amr_resnet50_1xb16-600i_photos-321px.py'),
    # not measured on a ResNet yet
    foreground=None,
    pseudo_label=dict(options={'test_cfg.cam_dir': '{cam.out_dir}'}),
    segmentation=dict(
        config='{{ fileDirname }}/../deeplabv2/deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py',
        options={
            '_delete_': True,
            'train_dataloader.dataset.label_dir': '{pseudo_label.out_dir}',
            'train_dataloader.dataset.split': train,
            'train_cfg.max_iters': 3000,
            'train_cfg.val_interval': 3000,
            'param_scheduler.0.end': 3000,
            'default_hooks.checkpoint.interval': 1000,
        },
    ),
)
