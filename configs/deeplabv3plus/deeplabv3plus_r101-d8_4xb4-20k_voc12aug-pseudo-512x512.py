# mmseg's own config; only the data set is ours, and what makes it resume with the same random numbers.
_base_ = ['mmseg::deeplabv3plus/deeplabv3plus_r101-d8_4xb4-20k_voc12aug-512x512.py', '../_base_/test_time.py']
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)), auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True))
)
class_heads = dict(background=['model.decode_head', 'model.auxiliary_head'])
train_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), *_base_.train_pipeline[2:]]
resize = dict(type='Resize', scale=(2048, 512), keep_ratio=True)
# the mask keeps its size
test_pipeline = [dict(type='mmamr.LoadImage'), resize, dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]
dataset = dict(type='mmamr.SegmentationDataset', data_root='{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}')
train_dataloader = dict(
    # label_dir names the folder whose labels train; without it they are masks in the folder of the data set.
    dataset=dict(
        _delete_=True,
        **dataset,
        split='ImageSets/Segmentation/train_aug.txt',
        mask_dir='SegmentationClassPseudo',
        label_dir=None,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **dataset,
        split='ImageSets/Segmentation/val.txt',
        mask_dir='SegmentationClass',
        pipeline=test_pipeline,
    )
)
test_dataloader = dict(dataset=dict(**val_dataloader['dataset']))
val_evaluator = test_evaluator = dict(type='mmamr.SegmentationMetric')
randomness = dict(seed=0)
custom_imports = dict(imports=['mmamr.registry'], allow_failed_imports=False)
default_hooks = dict(randomness=dict(type='mmamr.ResumableRandomnessHook'))
