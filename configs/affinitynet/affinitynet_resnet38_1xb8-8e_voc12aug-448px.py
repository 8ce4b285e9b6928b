# WideResNet-38 in the place of ResNet-50, as the original: norms and the first two stages fixed. MMAMR_RESNET38 names the
# weights, the original's are those of its classifier; tools/model_converters/resnet38.py makes the file.
_base_ = './affinitynet_resnet50_1xb8-8e_voc12aug-448px.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='WideResNet38',
        out_indices=(2, 3, 5),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='StrictPretrained', checkpoint='{{$MMAMR_RESNET38:checkpoints/resnet38.pth}}'),
    ),
    head=dict(in_channels=(512, 1024, 4096)),
)
