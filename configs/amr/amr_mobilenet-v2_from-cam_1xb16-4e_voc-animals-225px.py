_base_ = './amr_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
# both branches start from the plain classifier, not from ImageNet
load_from = 'work_dirs/cam_mobilenet-v2_1xb16-4e_voc-animals-225px/epoch_4.pth'
model = dict(
    compensation=dict(
        backbone=dict(init_cfg=dict(checkpoint=load_from, prefix='spotlight.backbone.', unused=())),
        head=dict(init_cfg=dict(type='StrictPretrained', checkpoint=load_from, prefix='spotlight.head.')),
    )
)
