# SEAM on MobileNetV2 at output stride 16; the second scale is half, as 0.3 of a small photo leaves little to see.
_base_ = '../amr/cam_mobilenet-v2_1xb16-4e_voc-animals-225px.py'
model = dict(
    spotlight=dict(
        type='SEAMBranch',
        backbone=dict(out_indices=(2, 4, 6)),
        head=dict(type='SEAMHead', in_channels=(32, 96, 320), channels=(32, 64)),
        scale=0.5,
    )
)
