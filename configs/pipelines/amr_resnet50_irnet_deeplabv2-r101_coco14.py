# The whole method on COCO 2014. data_root is what tools/dataset_converters/photos.py makes of COCO's own folders (its
# classes and their 80 heads come along), or `--data-root data/coco` names those. Where AMR says nothing of COCO, numbers
# are those that RIB and AMN give IRNet there; DeepLab-v2 learns as long as on COCO-Stuff.
_base_ = './amr_resnet50_irnet_deeplabv2-r101_voc12aug.py'
data_root = '{{$MMAMR_COCO14:data/coco14}}'
labels = dict(type='CSVLabels', file='labels.csv')
train = 'ImageSets/Segmentation/train.txt'
crop = (481, 481)
stages = dict(
    classifier=dict(config='{{ fileDirname }}/../amr/amr_resnet50_1xb16-5e_coco14-512px.py'),
    affinity_label=dict(
        options={
            'test_dataloader.dataset.split': train,
            'test_cfg.fg_threshold': 0.35,
            'test_cfg.bg_threshold': 0.17,
        }
    ),
    affinity=dict(options={'train_dataloader.dataset.split': train, 'train_dataloader.batch_size': 32}),
    walk=dict(options={'test_dataloader.dataset.split': train, 'test_cfg.cam_power': 1.3}),
    pseudo_label=dict(options={'test_dataloader.dataset.split': train, 'test_cfg.threshold': 0.22}),
    segmentation=dict(
        options={
            'train_dataloader.dataset.split': train,
            'train_dataloader.dataset.pipeline.3.crop_size': crop,
            'model.data_preprocessor.size': crop,
            'train_cfg.max_iters': 100_000,
            'train_cfg.val_interval': 20_000,
            'param_scheduler.0.end': 100_000,
        }
    ),
)
