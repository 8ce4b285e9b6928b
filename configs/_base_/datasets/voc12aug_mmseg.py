# VOC 2012 as mmseg's models have it, with mmseg's 512 px crops; the data set and its labels are ours.
_base_ = 'mmseg::_base_/datasets/pascal_voc12_aug.py'
data_root = '{{$MMAMR_VOC12:data/VOCdevkit/VOC2012}}'

train_pipeline = [dict(type='mmamr.LoadImage'), dict(type='mmamr.LoadMask'), *_base_.train_pipeline[2:]]
resize = dict(type='Resize', scale=(2048, 512), keep_ratio=True)
# the mask keeps its size
test_pipeline = [dict(type='mmamr.LoadImage'), resize, dict(type='mmamr.LoadMask'), dict(type='PackSegInputs')]

dataset = dict(type='mmamr.SegmentationDataset', data_root=data_root)
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
# The tta_pipeline is mmseg's too: this is for the --tta of its own tools.
tta_model = dict(type='SegTTAModel')
