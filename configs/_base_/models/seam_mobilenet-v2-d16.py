# SEAM on MobileNetV2 at output stride 16; the second scale is half, as 0.3 of a small photo leaves little to see.
_base_ = './cam_mobilenet-v2-d16.py'
model = dict(
    spotlight=dict(
        type='SEAMBranch',
        backbone=dict(out_indices=(2, 4, 6)),
        head=dict(type='SEAMHead', num_classes=20, in_channels=(32, 96, 320), channels=(32, 64)),
        scale=0.5,
    )
)
