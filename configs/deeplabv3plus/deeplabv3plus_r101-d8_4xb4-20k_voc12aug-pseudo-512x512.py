# mmseg's own config; only the labels are ours, and what makes it resume with the same random numbers.
_base_ = ['mmseg::deeplabv3plus/deeplabv3plus_r101-d8_4xb4-20k_voc12aug-512x512.py', '../_base_/test_time.py']
data_root = '{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}'
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)), auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True))
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train_aug.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassPseudo'),
        pipeline={{_base_.train_pipeline}},
    )
)
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
randomness = dict(seed=0)
custom_imports = dict(imports=['mmamr.registry'], allow_failed_imports=False)
default_hooks = dict(randomness=dict(type='mmamr.ResumableRandomnessHook'))
