# Starts from a backbone that saw the masks of COCO (mmdet's Mask R-CNN): more supervision than image-level labels.
_base_ = './deeplabv2_r101-d8_1xb10-20k_voc12aug-321x321.py'
model = dict(
    backbone=dict(
        init_cfg=dict(
            _delete_=True,
            type='StrictPretrained',
            checkpoint='https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/mask_rcnn_r101_fpn_1x_coco/'
            'mask_rcnn_r101_fpn_1x_coco_20200204-1efe0ed5.pth',
            prefix='backbone.',
        )
    )
)
